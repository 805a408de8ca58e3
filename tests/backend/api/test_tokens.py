"""Networks that read tokens of several characters, through every route that characters go."""

from pathlib import Path

import pytest

from backend.settings import Settings
from models.char_rnn import CharRNNConfig
from tests.backend.serving import assert_error, decode, generate, in_process, steps
from tests.toys import write_toy

WORDS = ["<unk>", "the", "old", "man", "reads", "."]
SIGNS = ["<pad>", "a", "b", " ", "<eos>"]


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("tokens")
    write_toy(folder / "words", CharRNNConfig("lstm", 6, 5, reads="tokens"), WORDS)
    signs = CharRNNConfig("gru", 5, 5, reads="characters_and_signs")
    write_toy(folder / "signs", signs, SIGNS)
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        yield client


@pytest.mark.parametrize(
    ("id", "text", "tokens"),
    [
        ("words", "The man reads zebras.", ["the ", "man ", "reads ", "<unk> "]),
        ("signs", "ab<eos>a", ["a", "b", "<eos>", "a"]),
    ],
)
def test_what_is_written_reads_back_as_the_tokens_that_were_written(reading, id, text, tokens):
    if id == "words":
        tokens = [*tokens[:3], "<unk> ", ". "]
    told = reading.post(f"/api/checkpoints/{id}/trace", json={"text": text, "points": []}).json()
    assert told["tokens"] == tokens
    written = steps(generate(reading, id, text, max_new_tokens=8, seed=3, points=[]).text)
    every = [step["token"] for step in written]
    assert every[: len(tokens)] == tokens
    again = {"text": "".join(every), "points": []}
    assert reading.post(f"/api/checkpoints/{id}/trace", json=again).json()["tokens"] == every


def test_units_and_gradients_count_in_tokens(reading):
    text = "the old man reads . the man"
    asked = {"text": text, "property": "word_position"}
    told = reading.post("/api/checkpoints/words/units", json=asked).json()
    assert decode(told["numbers"]).shape == (7,)
    assert told["split"] == 4
    told = reading.post("/api/checkpoints/words/gradients", json={"text": text}).json()
    assert told["tokens"][:2] == ["the ", "old "]
    assert decode(told["losses"]).shape == (6,)


def test_what_is_not_known_is_told_with_its_place(reading):
    refused = reading.post("/api/checkpoints/signs/trace", json={"text": "abc"})
    assert_error(refused, 422, "unknown_characters")
    assert refused.json()["error"]["characters"][0]["position"] == 2
