import gzip
import json
from dataclasses import replace

import pytest

from models.efficientnet import FEATURES, GRID
from models.kinds import open_checkpoint
from models.training import __main__ as program
from models.training import caption_figures, composed, hello, photographs, placement
from models.training.caption_recipes import CAPTION_RECIPES
from models.training.multi30k import Multi30k
from models.training.recipes import RECIPES, Recipe, Source
from models.training.seq2seq_recipes import PAIR_RECIPES
from tests.models.training import reversal
from tests.models.training.lamps import SIZES, Lamps
from tests.models.training.lamps import recipe as lamp_recipe

TEXT = "abcab\n" * 400
TINY = Recipe(
    "A toy",
    Source("toy.txt.gz", "A toy", "written here", "CC0-1.0"),
    {"cell": "gru", "hidden_size": 8, "num_layers": 1},
    epochs=1,
    batch_size=4,
    chunk=16,
    learning_rate=2e-2,
    warmup=2,
    prompt="ab",
)


@pytest.fixture
def arguments(tmp_path, monkeypatch):
    """A recipe `toy` with its corpus, and the flags that keep it inside a temporary folder."""
    monkeypatch.setitem(RECIPES, "toy", TINY)
    (tmp_path / "toy.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    folders = {"--data": tmp_path, "--out": tmp_path / "out", "--runs": tmp_path / "runs"}
    return ["toy", *(str(part) for pair in folders.items() for part in pair)]


def test_the_command_trains_measures_and_writes_a_checkpoint_that_opens(arguments, tmp_path):
    program.main(arguments)
    assert open_checkpoint(tmp_path / "out" / "toy").characters.symbols == ["\n", "a", "b", "c"]
    about = json.loads((tmp_path / "out" / "toy" / "config.json").read_text())
    assert about["figures"]["test_characters"] == len(TEXT) * 5 // 100
    assert about["training"]["history"][0]["epoch"] == 1


def test_the_best_so_far_can_be_written_without_training_on(arguments, tmp_path):
    program.main(arguments)
    (tmp_path / "runs" / "toy" / "latest.safetensors").unlink()  # what training would go on from
    written = (tmp_path / "out" / "toy" / "model.safetensors").read_bytes()
    (tmp_path / "out" / "toy" / "model.safetensors").unlink()
    program.main([*arguments, "--as-is"])
    assert (tmp_path / "out" / "toy" / "model.safetensors").read_bytes() == written


def test_a_corpus_that_is_not_there_ends_the_command_with_one_line_that_says_where_to_put_it(
    arguments, tmp_path
):
    (tmp_path / "toy.txt.gz").unlink()
    with pytest.raises(SystemExit) as ended:
        program.main(arguments)
    assert str(tmp_path / "toy.txt.gz") in ended.value.code
    assert "--data" in ended.value.code


def test_a_name_nobody_knows_is_refused_with_the_names_there_are(capsys):
    with pytest.raises(SystemExit) as ended:
        program.main(["poetry"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert all(name in told for name in [*RECIPES, *PAIR_RECIPES, hello.NAME])


@pytest.fixture
def pair_arguments(tmp_path, monkeypatch):
    """A recipe `toy-pairs` that writes texts backwards, and the flags that keep it inside."""
    recipe = replace(reversal.RECIPE, epochs=1, data=lambda folder: reversal.Reversal(160))
    monkeypatch.setitem(PAIR_RECIPES, "toy-pairs", recipe)
    folders = {"--data": tmp_path, "--out": tmp_path / "out", "--runs": tmp_path / "runs"}
    return ["toy-pairs", "--float32", *(str(part) for pair in folders.items() for part in pair)]


def test_the_command_trains_on_pairs_and_writes_a_checkpoint_that_opens(pair_arguments, tmp_path):
    program.main(pair_arguments)
    opened = open_checkpoint(tmp_path / "out" / "toy-pairs")
    assert opened.tasks == ("translate",)
    about = json.loads((tmp_path / "out" / "toy-pairs" / "config.json").read_text())
    assert about["figures"]["exact_pairs"] == len(reversal.TEXTS)
    assert [entry["epoch"] for entry in about["training"]["history"]] == [1]


def test_the_best_so_far_on_pairs_can_be_written_without_training_on(pair_arguments, tmp_path):
    program.main(pair_arguments)
    (tmp_path / "runs" / "toy-pairs" / "latest.safetensors").unlink()
    folder = tmp_path / "out" / "toy-pairs"
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    program.main([*pair_arguments, "--as-is"])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == written


def test_what_was_never_trained_cannot_be_written_as_it_is(pair_arguments, tmp_path):
    with pytest.raises(SystemExit) as ended:
        program.main([*pair_arguments, "--as-is"])
    assert str(tmp_path / "runs" / "toy-pairs" / "best.safetensors") in ended.value.code
    assert "--data" not in ended.value.code


def test_pairs_that_are_not_there_end_the_command_with_the_name_of_the_first_missing_file(
    pair_arguments, tmp_path, monkeypatch
):
    recipe = replace(reversal.RECIPE, data=lambda folder: Multi30k(folder, 60, 60))
    monkeypatch.setitem(PAIR_RECIPES, "toy-pairs", recipe)
    with pytest.raises(SystemExit) as ended:
        program.main(pair_arguments)
    assert str(tmp_path / "multi30k" / "train.en.gz") in ended.value.code
    assert "--data" in ended.value.code


def test_the_smallest_model_needs_no_data(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(hello, "make", made.append)
    program.main(["hello-rnn", "--out", str(tmp_path), "--data", str(tmp_path / "none")])
    assert made == [tmp_path / "hello-rnn"]


def test_data_inside_the_project_goes_before_data_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(program, "ROOT", tmp_path / "project")
    (tmp_path / "project").mkdir()
    assert program.data_folder() == tmp_path / "shared" / "data"
    (tmp_path / "project" / "data").mkdir()
    assert program.data_folder() == tmp_path / "project" / "data"


class ComposedLamps:
    """Composed pictures that are lamps too; nothing in them is marked."""

    def __init__(self, features, vocabulary):
        pass

    def epoch(self, number, seed, pictures):
        while True:
            yield from Lamps(FEATURES, GRID * GRID).epoch(number, seed, pictures)


@pytest.fixture
def captions(arguments, monkeypatch):
    """Recipes of captioners of four lamps, the second from the weights of the first."""
    monkeypatch.setattr(
        photographs, "Flickr8k", lambda data, features: Lamps(FEATURES, GRID * GRID)
    )
    monkeypatch.setattr(composed, "Composed", ComposedLamps)
    monkeypatch.setattr(caption_figures, "cider", lambda texts, streams: 1.0)
    monkeypatch.setattr(placement, "figures", lambda network, data, features: {})
    monkeypatch.setattr(placement, "table", lambda found: "places")
    size = SIZES | {"feature_size": FEATURES, "grid": GRID}
    first = lamp_recipe(network=size | {"attention": "soft"}, epochs=2, polish=1)
    second = replace(first, network=size | {"attention": "none"}, epochs=1, start="lamps")
    monkeypatch.setitem(CAPTION_RECIPES, "lamps", first)
    monkeypatch.setitem(CAPTION_RECIPES, "lamps-plain", second)
    return arguments[1:]


def test_the_command_trains_captioners_in_their_stages_and_writes_checkpoints_that_open(
    captions, tmp_path
):
    for name, epochs in (("lamps", [2, 1]), ("lamps-plain", [1, 1])):
        program.main([name, *captions])
        opened = open_checkpoint(tmp_path / "out" / name)
        assert {" red", " light"} <= set(opened.target_tokens)
        about = json.loads((tmp_path / "out" / name / "config.json").read_text())
        assert about["training"]["epochs"] == epochs
        assert (tmp_path / "runs" / f"{name}-polish" / "best.safetensors").exists()
    written = (tmp_path / "out" / "lamps" / "model.safetensors").read_bytes()
    program.main(["lamps", *captions, "--as-is"])
    assert (tmp_path / "out" / "lamps" / "model.safetensors").read_bytes() == written


def test_pictures_that_are_not_encoded_end_the_command_with_what_encodes_them(arguments, tmp_path):
    with pytest.raises(SystemExit) as ended:
        program.main(["caption-soft", *arguments[1:]])
    assert "python -m models.training.features" in str(ended.value)
