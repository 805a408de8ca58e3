import json
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from models.kinds import open_checkpoint
from models.slicing import Slice
from models.training import __main__ as program
from models.training import sort
from models.training.letters import NUMBERS, STOP, SYMBOLS, encode, in_order, texts
from models.training.sort import CONFIG, LENGTHS, RECIPE, finish, looks, loss, measure, train, write
from models.transformer_lm import TransformerLM
from tests.models.stacks import lively

TIGHT = 1e-5  # float32 sums in another order


def network(seed: int = 0) -> TransformerLM:
    return lively(TransformerLM(CONFIG), seed)


class Knows:
    """Stands for a network: writes the letters in order, or as they come, and looks at each with
    three quarters of the weight, or at the place behind it."""

    def __init__(self, right: bool = True, off: int = 0):
        self.right, self.off = right, off

    def logits(self, tokens):
        found = torch.zeros(*tokens.shape, len(SYMBOLS))
        for row, line in enumerate(tokens.tolist()):
            text, _, written = "".join(SYMBOLS[n] for n in line).partition(STOP)
            whole = (in_order(text) if self.right else text) + STOP
            found[row, -1, NUMBERS[whole[len(written)]]] = 9.0
        return found

    def looks(self, network, text, written):
        T = len(text) + len(written)
        weights = torch.full((len(written), T), 0.25 / (T - 1))
        for row, symbol in enumerate(written):
            weights[row, (text + STOP).find(symbol) + self.off] = 0.75
        return weights


def test_the_figures_tell_what_is_right_and_where_the_head_looks(monkeypatch):
    some = texts(0, 60, "test")
    monkeypatch.setattr(sort, "looks", Knows().looks)
    figures = measure(Knows(), some)
    assert (figures["exact"], figures["looks"]) == (1.0, 1.0)
    assert figures["looks_weight"] == pytest.approx(0.75)
    assert figures["exact_texts"] == 60
    assert figures["looks_symbols"] == sum(len(text) + 1 for text in some)
    rows = figures["exact_by_length"]
    assert [(row["from"], row["to"]) for row in rows] == list(LENGTHS)
    assert sum(row["texts"] for row in rows) == 60
    wrong = measure(Knows(right=False), some)
    assert wrong["exact"] < 0.4
    assert wrong["looks"] == 1.0
    monkeypatch.setattr(sort, "looks", Knows(off=1).looks)
    assert measure(Knows(), some)["looks"] == 0.0


def test_the_loss_is_the_mean_over_what_stands_behind_the_first_stop():
    built, some = network(), ["dbca", "zyxwvutsrqpo", "ab"]
    told = []
    for text in some:
        for k, symbol in enumerate(in_order(text) + STOP):
            before = torch.tensor([[NUMBERS[c] for c in text + STOP + in_order(text)[:k]]])
            told.append(F.cross_entropy(built.logits(before)[0, -1], torch.tensor(NUMBERS[symbol])))
    assert len(told) == 5 + 13 + 3
    found = loss(built, *encode(some))
    torch.testing.assert_close(found, torch.stack(told).mean(), atol=TIGHT, rtol=0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two short epochs: the run's folder and what `train` returned."""
    run = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sort, "EPOCH", 640)
        patch.setattr(sort, "FIGURES", 12)
        return run, *train(run, replace(RECIPE, epochs=2, batch_size=32, warmup=5))


def test_some_steps_of_training_bring_the_loss_down(trained):
    _, weights, progress, ended = trained
    assert ended
    one, two = (entry["train"] for entry in progress["history"])
    assert two < one < 4  # guessing: ln 27 = 3.3
    assert progress["step"] == 40


def test_what_is_written_are_the_likeliest_symbols_one_by_one(trained):
    built = TransformerLM(CONFIG).eval()
    built.load_state_dict(trained[1])
    some = [text for text in texts(5, 60) if len(text) == 6][:4]
    for text, written in zip(some, write(built, some), strict=True):
        line, behind = text + STOP, ""
        while len(behind) < 7 and not behind.endswith(STOP):
            logits = built.logits(torch.tensor([[NUMBERS[symbol] for symbol in line + behind]]))
            behind += SYMBOLS[int(logits[0, -1].argmax())]
        assert behind == written


@pytest.fixture
def folder(trained, tmp_path, monkeypatch):
    """The checkpoint that comes of those weights, measured on a few texts."""
    monkeypatch.setattr(sort, "FIGURES", 40)
    finish(trained[1], trained[2], tmp_path / "sort-attention", RECIPE)
    return tmp_path / "sort-attention"


def test_where_the_head_looked_is_what_its_checkpoint_shows(folder):
    reader = open_checkpoint(folder)
    text, written = "qmdz", "dmqz"
    line = text + STOP + written
    shown = reader.reading(reader.reads.encode(line)).slice(Slice("blocks.0.attention")).data
    found = looks(reader.network, text, written)
    assert found.shape == (4, 8)
    expected = torch.tensor(shown)[0, 4:8, :8]
    torch.testing.assert_close(found, expected, atol=TIGHT, rtol=0)


def test_the_folder_tells_what_was_measured_and_how_it_came_to_be(folder, trained):
    about = json.loads((folder / "config.json").read_text())
    reader = open_checkpoint(folder)
    assert reader.reads.symbols == SYMBOLS
    some = sort.tested()
    assert len(some) == len(set(some)) <= 40
    expected = measure(reader.network, some)
    assert about["figures"] == expected | {"exact_longer": about["figures"]["exact_longer"]}
    assert about["config"] == CONFIG.to_dict()
    for line in about["examples"]:
        reader.reads.encode(line)
    assert about["training"]["steps"] == 40
    assert sum(path.stat().st_size for path in folder.iterdir()) < 100_000
    figures, card = about["figures"], (folder / "README.md").read_text()
    for said in (
        "make train NAME=sort-attention",
        f"({len(some)} texts of 2 to 12 letters) | **{figures['exact']:.2%}** |",
        f"({figures['looks_symbols']:,} symbols) | **{figures['looks']:.2%}** |",
        f"mean weight on that symbol | {figures['looks_weight']:.2%} |",
        "licence: CC0-1.0",
        f"{about['parameters']:,} parameters",
        f"- `dbca.`\n  `{write(reader.network, ['dbca'])[0]}`",
    ):
        assert said in card


def test_the_network_is_one_head_that_knows_no_positions():
    CONFIG.check()
    assert (CONFIG.num_layers, CONFIG.num_heads, CONFIG.positions) == (1, 1, "none")
    assert CONFIG.context >= 2 * sort.LONGER[1] + 2


def test_the_command_trains_it_and_writes_the_best_so_far(tmp_path, monkeypatch):
    asked = ["sort-attention", "--out", str(tmp_path / "out"), "--runs", str(tmp_path / "runs")]
    with pytest.raises(SystemExit) as ended:
        program.main([*asked, "--as-is"])
    assert str(tmp_path / "runs" / "sort-attention" / "best.safetensors") in ended.value.code
    monkeypatch.setattr(sort, "EPOCH", 64)
    monkeypatch.setattr(sort, "FIGURES", 8)
    monkeypatch.setattr(sort.train, "__defaults__", (replace(RECIPE, epochs=1), "cpu"))
    program.main(asked)
    written = (tmp_path / "out" / "sort-attention" / "model.safetensors").read_bytes()
    program.main([*asked, "--as-is"])
    assert (tmp_path / "out" / "sort-attention" / "model.safetensors").read_bytes() == written
