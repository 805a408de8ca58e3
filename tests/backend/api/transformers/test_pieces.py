"""A language model that reads pieces of bytes: what is no text by itself, and what ends well."""

from dataclasses import replace

import pytest

from backend.settings import Settings
from models.checkpoint import write_checkpoint
from models.pieces import Pieces
from tests.backend.serving import assert_error, events, in_process, steps
from tests.foreign import byte_pieces
from tests.toys import about
from tests.toys.transformers import LANGUAGE_MODELS, language_model

PIECES = Pieces.read(byte_pieces().to_str())
CONFIG = replace(LANGUAGE_MODELS["toy-gpt"], vocab_size=len(PIECES) + 14)  # rounded up for speed
TEXT = "a naïve 猫 😀!"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pieces")
    said = {**about(CONFIG), "kind": "transformer_lm"}
    files = {"tokenizer.json": PIECES.tokenizer.to_str()}
    write_checkpoint(folder / "toy", said, files, language_model(CONFIG).state_dict(), "")
    with in_process(Settings(checkpoints=folder, device="cpu")) as client:
        yield client


def test_pieces_that_are_no_text_are_told_as_bytes_with_the_span_of_the_character(client):
    body = {"text": TEXT, "slices": [{"point": "blocks.1.lens", "top": 3}]}
    found = client.post("/api/checkpoints/toy/slices", json=body).json()
    assert found["token_ids"] == PIECES.encode(TEXT)
    assert found["tokens"] == [PIECES.symbols[k] for k in found["token_ids"]]
    assert "⟨" in "".join(found["tokens"])
    assert {TEXT[a:b] for a, b in found["spans"]} >= {"猫", "😀", "!"}
    told = [token for row in found["slices"][0]["top_tokens"] for token in row]
    assert all(isinstance(token, str) for token in told)
    traced = client.post("/api/checkpoints/toy/trace", json={"text": TEXT, "points": []}).json()
    assert traced["tokens"] == found["tokens"]


def test_the_text_at_the_end_is_what_all_bytes_together_are(client):
    body = {"prefix": TEXT, "max_new_tokens": 15, "temperature": 5.0, "seed": 2, "points": []}
    answer = client.post("/api/checkpoints/toy/generate", json=body)
    written = [step["token_id"] for step in steps(answer.text)]
    assert written[: len(PIECES.encode(TEXT))] == PIECES.encode(TEXT)
    assert max(written) < len(PIECES)
    done = events(answer.text)[-1][1]
    assert done["text"] == PIECES.decode(written)
    assert done["text"].startswith(TEXT)


def test_a_text_is_measured_in_tokens_and_half_a_character_is_none(client):
    assert len(PIECES.encode("猫" * 17)) == 34
    for path, field in (("slices", "text"), ("trace", "text"), ("generate", "prefix")):
        address = f"/api/checkpoints/toy/{path}"
        error = assert_error(client.post(address, json={field: "猫" * 17}), 413, "text_too_long")
        assert error["limit"] == 32
        assert "34 tokens" in error["message"]
        raw = f'{{"{field}": "a\\ud800"}}'.encode()
        answer = client.post(address, content=raw, headers={"Content-Type": "application/json"})
        assert assert_error(answer, 422, "unknown_characters")["characters"][0]["position"] == 1
