import json
from dataclasses import replace

import pytest

from models.checkpoint import CheckpointError
from models.kinds import open_checkpoint
from tests.foreign import byte_pieces
from tests.toys import SYMBOLS
from tests.toys.transformers import ENCODER, LANGUAGE_MODELS, write_encoder, write_language_model


def change(path, **values):
    about = json.loads(path.read_text())
    about["config"] |= values
    path.write_text(json.dumps(about))


def write(kind: str, folder):
    if kind == "encoder":
        return write_encoder(folder)
    return write_language_model(folder, LANGUAGE_MODELS["toy-gpt"])


@pytest.mark.parametrize("kind", ["language model", "encoder"])
def test_a_checkpoint_that_does_not_fit_is_refused_by_what_is_wrong(tmp_path, kind):
    folder = tmp_path / "toy"
    write(kind, folder)
    (folder / "vocabulary.json").write_text(json.dumps(SYMBOLS[:-1]))
    with pytest.raises(CheckpointError, match=f"holds {len(SYMBOLS) - 1} tokens, config.json says"):
        open_checkpoint(folder)
    (folder / "vocabulary.json").write_text(json.dumps(["ab", *SYMBOLS[1:]]))
    with pytest.raises(CheckpointError, match="must be one character"):
        open_checkpoint(folder)
    (folder / "vocabulary.json").write_text(json.dumps(SYMBOLS))
    change(folder / "config.json", num_heads=3)
    with pytest.raises(CheckpointError, match="no multiple of num_heads"):
        open_checkpoint(folder)
    change(folder / "config.json", num_heads=4, mlp_size=25)
    with pytest.raises(CheckpointError, match="expected"):
        open_checkpoint(folder)


def test_a_table_may_be_longer_than_the_pieces_are_and_not_shorter(tmp_path):
    tokenizer = byte_pieces()
    for size, fits in ((tokenizer.get_vocab_size() + 6, True), (200, False)):
        folder = tmp_path / str(size)
        config = replace(LANGUAGE_MODELS["toy-gpt"], vocab_size=size)
        write_language_model(folder, config, [chr(0x4E00 + k) for k in range(size)])
        (folder / "vocabulary.json").unlink()
        (folder / "tokenizer.json").write_text(tokenizer.to_str())
        if fits:
            runner = open_checkpoint(folder)
            assert (len(runner.reads), runner.vocab_size) == (size - 6, size)
        else:
            with pytest.raises(CheckpointError, match=r"tokenizer\.json holds"):
                open_checkpoint(folder)


def test_a_language_model_without_a_vocabulary_is_refused(tmp_path):
    write_language_model(tmp_path / "toy", LANGUAGE_MODELS["toy-gpt"])
    (tmp_path / "toy" / "vocabulary.json").unlink()
    with pytest.raises(CheckpointError, match=r"vocabulary\.json"):
        open_checkpoint(tmp_path / "toy")


def test_an_encoder_with_a_head_has_a_lens_and_one_without_has_none(tmp_path):
    for name, masked in (("with", True), ("without", False)):
        write_encoder(tmp_path / name, replace(ENCODER, masked_words=masked))
        runner = open_checkpoint(tmp_path / name)
        assert any(point.name.endswith(".lens") for point in runner.points) == masked
        assert runner.reading(runner.reads.encode("abba")).output.shape == (4, 16)
