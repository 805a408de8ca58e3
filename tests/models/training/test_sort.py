import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from models.decoder import END
from models.kinds import open_checkpoint
from models.training import finish_pairs, sort
from models.training.finish_pairs import read_with
from models.training.finish_transformer import MAKING
from models.training.sort import LENGTHS, LONGEST, SHORTEST, Sorting, in_order, part_of, texts
from models.training.transformer_recipes import TRANSFORMER_PAIR_RECIPES
from models.transformer_seq2seq import TransformerSeq2Seq
from models.writing import End, Step

RECIPE = TRANSFORMER_PAIR_RECIPES["sort-attention"]


@pytest.fixture
def data(monkeypatch):
    monkeypatch.setattr(sort, "EPOCH", 200)
    monkeypatch.setattr(sort, "FIGURES", 60)
    return Sorting()


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_texts_are_distinct_letters_of_every_length(split):
    found = texts(3, 200, split)
    assert len(found) == 200
    assert all(len(set(text)) == len(text) for text in found)
    assert {len(text) for text in found} == set(range(SHORTEST, LONGEST + 1))
    assert sum(text == in_order(text) for text in found) < 20
    assert {c for text in found for c in text} == set("abcdefghijklmnopqrstuvwxyz")
    assert all(part_of(text) == split for text in found)


def test_letters_that_are_tested_were_never_trained_on_in_any_order():
    sets = {split: {in_order(text) for text in texts(1, 300, split)} for split in sort.SPLITS}
    assert sets["train"].isdisjoint(sets["test"] | sets["validation"])
    assert sets["test"].isdisjoint(sets["validation"])
    assert part_of("dbca") == part_of("abcd") == part_of("cadb")
    parts = [part_of("".join(text)) for text in sets["train"] | sets["test"]]
    assert parts.count("test") == len(sets["test"])


def test_a_hash_gives_its_share_of_all_sets_to_each_part():
    every = [a + b + c for a in "abcdefghijklm" for b in "nopqrstuvwxyz" for c in "01234567"]
    parts = [part_of(text) for text in every]
    assert parts.count("test") / len(every) == pytest.approx(0.05, abs=0.02)
    assert parts.count("validation") / len(every) == pytest.approx(0.02, abs=0.015)


def test_a_seed_fixes_the_texts_and_a_split_that_is_not_there_is_refused():
    assert texts(1, 50) == texts(1, 50) != texts(2, 50)
    with pytest.raises(ValueError, match="'dev' is not one of train, validation, test"):
        texts(1, 5, "dev")


def test_an_epoch_is_texts_and_their_letters_in_order(data):
    read, write = data.vocabularies
    pairs = data.epoch(2, 5)
    assert pairs == data.epoch(2, 5) != data.epoch(3, 5)
    assert len(pairs) == 200
    for source, target in pairs:
        text = read.join(source)
        assert source[-1] == target[-1] == END
        assert write.join(target) == in_order(text)
        assert part_of(text) == "train"
    assert read.read_text("QmD").ids == read.read_text("qmd").ids


def test_the_score_is_the_share_of_validation_texts_in_order(data):
    assert data.score(lambda some: [in_order(text) for text in some]) == 1.0
    assert data.score(lambda some: list(some)) < 0.5
    assert (
        data.score(lambda some: [in_order(t) if k % 2 else "" for k, t in enumerate(some)]) == 0.5
    )


class Knows:
    """A translator that writes the letters in order while it looks at them, or one place on."""

    def __init__(self, off: int = 0, right: bool = True, weight: float = 0.75):
        self.off, self.right, self.weight = off, right, weight

    def read(self, text):
        return text

    def translate(self, text, beam_size, points):
        written = in_order(text) if self.right else text
        for index, letter in enumerate([*written, "</s>"]):
            at = (text.find(letter) + self.off) % len(text)
            weights = np.full(len(text) + 1, (1 - self.weight) / len(text))
            weights[at] = self.weight
            number = END if letter == "</s>" else 3 + ord(letter) - ord("a")
            yield Step(index, number, 1.0, [], weights, None, False, {})
        yield End([], written, 0.0, 0.0, True, [])


def test_the_figures_tell_what_is_right_and_where_it_looks(data):
    figures = data.figures(read_with(Knows()))
    assert (figures["exact"], figures["looks"]) == (1.0, 1.0)
    assert figures["looks_weight"] == pytest.approx(0.75)
    assert figures["exact_pairs"] == 60
    assert figures["looks_steps"] == sum(len(text) for text in texts(0, 60, "test"))
    rows = figures["exact_by_length"]
    assert [(row["from"], row["to"]) for row in rows] == list(LENGTHS)
    assert sum(row["sentences"] for row in rows) == 60
    beside = data.figures(read_with(Knows(off=1)))
    assert (beside["exact"], beside["looks"]) == (1.0, 0.0)
    wrong = data.figures(read_with(Knows(right=False)))
    assert wrong["exact"] < 0.4
    assert wrong["looks"] == 1.0


def test_a_letter_that_is_not_in_the_text_is_looked_at_by_nobody(data):
    item = SimpleNamespace(attention=np.array([0.1, 0.9]), token_id=3)
    translate = SimpleNamespace(items=lambda text: [item, SimpleNamespace(text="!")])
    figures = data.figures(translate)
    assert (figures["exact"], figures["looks"], figures["looks_weight"]) == (0.0, 0.0, 0.0)


def test_the_recipe_is_one_head_that_looks_across_and_knows_no_positions():
    config = RECIPE.config(29, 29)
    config.check()
    assert (config.num_heads, config.encoder_layers, config.decoder_layers) == (1, 1, 1)
    assert config.positions == "none"
    assert config.context > LONGEST


def test_the_card_and_the_config_tell_the_figures(data, tmp_path, monkeypatch):
    monkeypatch.setattr(sort, "FIGURES", 8)
    network = TransformerSeq2Seq(RECIPE.config(29, 29))
    weights = network.initialize(torch.Generator().manual_seed(0)).state_dict()
    progress = {"epoch": 3, "step": 1234, "best": 0.5, "seconds": 120.4, "history": []}
    folder = tmp_path / "sort-attention"
    finish_pairs.finish("sort-attention", RECIPE, data, weights, progress, folder, MAKING)
    about = json.loads((folder / "config.json").read_text())
    assert about["figures"] == data.figures(read_with(open_checkpoint(folder)))
    assert sum(path.stat().st_size for path in folder.iterdir()) < 100_000
    card = (folder / "README.md").read_text()
    for said in (
        "make train NAME=sort-attention",
        f"(8 texts): the whole text is right | **{about['figures']['exact']:.2%}** |",
        f"({about['figures']['looks_steps']:,} steps) | **{about['figures']['looks']:.2%}** |",
        f"mean weight on that letter | {about['figures']['looks_weight']:.2%} |",
        "licence: CC0-1.0",
        f"{about['parameters']:,} parameters",
    ):
        assert said in card
