import gzip
import hashlib
import json
from dataclasses import replace

import pytest
import torch

from models.kinds import open_checkpoint
from models.sequence_classifier import READERS
from models.training import __main__ as program
from models.training.label_recipes import LABEL_RECIPES
from models.training.labelled import read_films, read_names, read_treebank
from models.training.labelling import (
    NOTHING,
    batch,
    batches,
    begin_with_shares,
    forgotten,
    mistyped,
    prepare,
)

SMALL = {
    "surnames": {"hidden_size": 8, "embedding_size": 4},
    "sentiment": {"hidden_size": 6, "embedding_size": 4, "attention_size": 3},
    "tagger-en": {"hidden_size": 8, "embedding_size": 4, "pieces": 64, "piece_size": 4},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder as the recipes read it, whose texts can be told apart."""
    folder = tmp_path_factory.mktemp("data")
    for path in ("names", "sentiment", "pos"):
        (folder / path).mkdir()
    for label, ending in (("Aic", "ova"), ("Bic", "ini")):
        names = [f"{c}{d}{ending}" for c in "KLMNPRST" for d in ("a", "e", "il", "or")]
        (folder / "names" / f"{label}.txt").write_text("\n".join(names), "utf-8")
    rows = []
    for k in range(48):
        good = k // 3 % 2
        word, score = ("good", 2.0) if good else ("bad", -1.5)
        rows.append(f"{score}\tThe film number {k % 3} is {word}.")
    rows[4] = "0.4\tA film."
    text = "\n".join(rows)
    (folder / "sentiment/movie-snippets.tsv.gz").write_bytes(gzip.compress(text.encode()))
    sentence = "The\tDET\n{}\tNOUN\nswims\tVERB\n.\tPUNCT\n"
    for part, words in (
        ("train", "fish duck eel " * 12),
        ("dev", "fish eel"),
        ("test", "duck carp"),
    ):
        text = "\n".join(sentence.format(word) for word in words.split())
        (folder / f"pos/ud-ewt-{part}.tsv.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def small(name: str):
    recipe = LABEL_RECIPES[name]
    network = recipe.network | SMALL[name]
    return replace(
        recipe,
        network=network | {"dropout": 0.0},
        # in the letters of the data here, where letters are what is read
        **({"prompt": "Kaova", "examples": ("Silini",)} if name == "surnames" else {}),
        least=1,
        epochs=10,
        batch_size=8,
        warmup=5,
        learning_rate=0.02,
        keep=0.9,
        drop=0.0,
    )


def test_every_tenth_line_of_each_file_of_names_is_test_and_the_next_validation(data):
    found = read_names(data)
    assert found.labels == ["Aic", "Bic"]
    names = (data / "names/Aic.txt").read_text("utf-8").splitlines()
    assert [name for name, label in found.parts["test"] if label == 0] == names[9::10]
    assert [name for name, label in found.parts["validation"] if label == 0] == names[10::10]
    assert sum(map(len, found.parts.values())) == 64
    raw = b"".join((data / f"names/{label}.txt").read_bytes() for label in found.labels)
    assert found.sha256 == hashlib.sha256(raw).hexdigest()


def test_sentences_without_a_decided_score_are_left_out_and_counted(data):
    found = read_films(data)
    assert found.left_out == 1
    assert sum(map(len, found.parts.values())) == 47
    assert all(("good" in text) == bool(label) for p in found.parts.values() for text, label in p)


def test_the_treebank_keeps_its_own_parts(data):
    found = read_treebank(data)
    assert found.labels == ["DET", "NOUN", "PUNCT", "VERB"]
    assert found.parts["test"][1] == (["The", "carp", "swims", "."], [0, 1, 3, 2])
    assert len(found.parts["train"]) == 36


def test_data_that_is_not_there_is_named(tmp_path):
    for read in (read_names, read_films, read_treebank):
        with pytest.raises(FileNotFoundError) as error:
            read(tmp_path)
        assert str(tmp_path) in error.value.filename


def test_batches_hold_every_text_once_side_by_side_with_its_length():
    examples = [(torch.arange(1, n + 2), torch.tensor(n)) for n in range(37)]
    seen = []
    for numbers, lengths, labels in batches(examples, 5, torch.Generator().manual_seed(0)):
        for row, (length, label) in enumerate(zip(lengths.tolist(), labels.tolist(), strict=True)):
            assert length == label + 1
            assert numbers[:length, row].tolist() == list(range(1, length + 1))
            assert not numbers[length:, row].any()
        seen += labels.tolist()
    assert sorted(seen) == list(range(37))


def test_tags_past_the_end_of_a_sentence_do_not_count():
    one = (torch.ones(2, 7, dtype=torch.long), torch.tensor([1, 2]))
    two = (torch.ones(4, 7, dtype=torch.long), torch.tensor([0, 1, 0, 1]))
    _, lengths, tags = batch([one, two])
    assert lengths.tolist() == [2, 4]
    assert tags[:, 0].tolist() == [1, 2, NOTHING, NOTHING]


def test_words_are_forgotten_by_their_own_chance_and_keep_their_spelling():
    numbers = torch.tensor([[1, 2], [2, 1]]).unsqueeze(-1).repeat(1, 1, 7)
    found = forgotten(numbers, torch.tensor([0.0, 1.0, 0.0]), torch.Generator().manual_seed(0))
    assert found[..., 0].tolist() == [[0, 2], [2, 0]]
    assert torch.equal(found[..., 1:], numbers[..., 1:])


def test_a_share_of_the_characters_is_mistyped():
    numbers, counts = torch.zeros(400, 10, dtype=torch.long), torch.tensor([0.0, 1.0, 3.0])
    generator = torch.Generator().manual_seed(0)
    assert torch.equal(mistyped(numbers, 0.0, counts, generator), numbers)
    found = mistyped(numbers, 0.25, counts, generator)
    share, twos = (found > 0).float().mean(), (found == 2).sum() / (found > 0).sum()
    assert abs(share - 0.25) < 5 * (0.25 * 0.75 / 4000) ** 0.5
    assert abs(twos - 0.75) < 5 * (0.25 * 0.75 / 1000) ** 0.5


def test_a_start_from_shares_is_the_log_ratio_of_naive_bayes():
    table = torch.zeros(3, 4)
    examples = [(torch.tensor([1, 1, 2]), torch.tensor(0)), (torch.tensor([2]), torch.tensor(1))]
    begin_with_shares(table, examples, 2)
    # with one more of each: of label 0 (1, 3, 2) of 6, of label 1 (1, 1, 2) of 4
    ratio = torch.tensor([1 / 6 * 4, 3 / 6 * 4, 2 / 6 * 4 / 2]).log()
    torch.testing.assert_close(table[:, 0] - table[:, 1], ratio)
    torch.testing.assert_close(table[:, 0], -table[:, 1])
    assert not table[:, 2:].any()


@pytest.mark.parametrize("name", LABEL_RECIPES)
def test_a_recipe_learns_what_can_be_learned_and_writes_a_checkpoint(
    data, tmp_path, monkeypatch, capsys, name
):
    monkeypatch.setitem(LABEL_RECIPES, name, small(name))
    flags = ["--data", str(data), "--out", str(tmp_path / "out"), "--runs", str(tmp_path / "runs")]
    program.main([name, *flags])
    told = json.loads((tmp_path / "out" / name / "config.json").read_text("utf-8"))
    figures = told["figures"]
    assert figures["accuracy"] > 0.95
    assert figures["simple"]["accuracy"] > 0.7
    assert figures["majority"]["accuracy"] < 0.8
    card = (tmp_path / "out" / name / "README.md").read_text("utf-8")
    assert f"make train NAME={name}" in card
    assert told["data"]["sha256"] in card
    assert f"**{figures['accuracy']:.2%}**" in card
    runner = open_checkpoint(tmp_path / "out" / name)
    read = LABEL_RECIPES[name].read(data)
    text, label = read.parts["test"][0]
    if name == "tagger-en":
        assert runner.tag(text).probabilities.argmax(-1).tolist() == label
    else:
        assert runner.classify(runner.reads.encode(text)).probabilities.argmax() == label


def test_the_same_recipe_numbers_texts_the_same_way_as_the_checkpoint_reads_them(data):
    for name in ("surnames", "sentiment"):
        recipe = small(name)
        found = recipe.read(data)
        prepared = prepare(recipe, found)
        reads = READERS[recipe.network["reads"]](prepared.symbols)
        for (text, _), (numbers, _) in zip(
            found.parts["test"], prepared.parts["test"], strict=True
        ):
            assert reads.encode(text) == numbers.tolist()
