"""Published files of other people, dropped on the project as they are: read in a child, diagnosed,
their questions answered, converted without a bit changed, and run.

What is expected of g2p-en was computed with the package's own code, the method `predict` of its
class G2p at version 2.1.0, on numpy; `by_hand` says the same in a few lines of float64. The reader
of lines is held against the published network in torch's own modules.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from models import fetch, lines
from models.doctor import convert, diagnose, write
from models.importing.child import read_in_child
from models.kinds import open_checkpoint
from models.writing import Step
from tests.oracle_lines import Lines
from tests.strangers import CRAFT, package, stranger

PRONOUNCED = {
    "activationist": "AE2 K T IH0 V EY1 SH AH0 N IH0 S T",
    "attention": "AH0 T EH1 N SH AH0 N",
    "backpropagation": "B AE2 K P R AH0 G P EY1 SH AH0 N",  # its own slip
    "google": "G UW1 G AH0 L",
    "hello": "HH EH1 L OW0",
    "perplexity": "P ER0 P L EH1 K S AH0 T IY0",
    "recurrent": "R IH0 K ER1 AH0 N T",
    "unrolled": "AH0 N R OW1 L D",
}
DRAWN = ("Hello, world", "The quick brown fox jumps over", "0123456789", "$4.50 & 20%", "illicit")


def imported(file: Path, folder: Path, answers: dict | None = None):
    """What an import does, without HTTP: (tensors as found, first diagnosis, folder of the
    checkpoint). Lists are answered by the first guess."""
    folder.mkdir()
    read_in_child(file, folder)
    tensors = load_file(folder / "tensors.safetensors")
    extras = json.loads((folder / "extras.json").read_text("utf-8"))["extras"]
    diagnosis = diagnose(tensors, extras)
    told = {q.name: q.guesses[0].value for q in diagnosis.questions if q.guesses}
    made = folder / "checkpoint"
    write(made, convert(tensors, extras, told | (answers or {}), title=file.name))
    return tensors, diagnosis, made


def assert_nothing_was_rounded(tensors: dict, made: Path, left_out: tuple[str, ...] = ()) -> None:
    """Every tensor of the file is in the checkpoint, bit for bit, under some name, and no other."""
    fingerprints = lambda arrays: sorted((a.shape, a.dtype.str, a.tobytes()) for a in arrays)
    wanted = [value for name, value in tensors.items() if not name.endswith(left_out or ("\0",))]
    assert fingerprints(load_file(made / "model.safetensors").values()) == fingerprints(wanted)


@pytest.fixture(scope="module")
def spelling(tmp_path_factory):
    folder = tmp_path_factory.mktemp("g2p")
    return imported(stranger("g2p-en", folder), folder / "import", {"decoder_input": "plain"})


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("easyocr")
    return imported(stranger("easyocr-en", folder), folder / "import", {"height": "64"})


# -- g2p-en: a GRU that reads letters, a GRU that writes sounds ------------------------------


def test_the_spelling_network_is_recognised_and_proven(spelling):
    _, diagnosis, _ = spelling
    assert diagnosis.kind == "state_seq2seq"
    assert diagnosis.config["cell"] == "gru"
    assert (diagnosis.config["source_size"], diagnosis.config["target_size"]) == (29, 74)
    lists = [(q.name, q.size) for q in diagnosis.questions if q.form == "list"]
    assert lists == [("source_vocabulary", 29), ("target_vocabulary", 74)]
    assert [q.name for q in diagnosis.questions if q.form == "choice"] == ["decoder_input"]
    assert diagnosis.problems == ()
    assert {proof.layer for proof in diagnosis.proof} == {"encoder.0", "decoder.0"}
    assert all(proof.digits > 12 for proof in diagnosis.proof)


def test_the_spelling_network_is_kept_bit_for_bit(spelling):
    tensors, _, made = spelling
    assert_nothing_was_rounded(tensors, made)


def test_words_are_pronounced_as_the_package_pronounces_them(spelling):
    runner = open_checkpoint(spelling[2])
    for word, sounds in PRONOUNCED.items():
        *_, end = runner.translate(runner.read(word), max_new_tokens=20, points=[])
        assert end.text == sounds


def by_hand(tensors: dict, source: list[int], read: list[int]) -> np.ndarray:
    """Logits (T, 74) of the published network in float64, and nothing of ours."""
    w = {name: value.astype(np.float64) for name, value in tensors.items()}

    def gru(side: str, x: np.ndarray, h: np.ndarray) -> np.ndarray:
        ours = w[f"{side}_w_ih"] @ x + w[f"{side}_b_ih"]
        theirs = w[f"{side}_w_hh"] @ h + w[f"{side}_b_hh"]
        (xr, xz, xn), (hr, hz, hn) = ours.reshape(3, -1), theirs.reshape(3, -1)
        r, z = 1 / (1 + np.exp(-xr - hr)), 1 / (1 + np.exp(-xz - hz))
        return (1 - z) * np.tanh(xn + r * hn) + z * h

    h = np.zeros(w["enc_w_hh"].shape[1])
    for number in source:
        h = gru("enc", w["enc_emb"][number], h)
    logits = []
    for number in read:
        h = gru("dec", w["dec_emb"][number], h)
        logits.append(w["fc_w"] @ h + w["fc_b"])
    return np.array(logits)


@pytest.mark.parametrize("word", ["rhythm", "perplexity"])
def test_the_probability_of_every_sound_is_that_of_the_formulas(spelling, word):
    tensors, _, made = spelling
    runner = open_checkpoint(made)
    source = runner.read(word)
    steps = [one for one in runner.translate(source, points=[]) if isinstance(one, Step)]
    numbers = [step.token_id for step in steps]
    # <pad>, <unk>, </s>, then letters; the sounds begin after <pad>, <unk>, <s>, </s>.
    letters = [3 + ord(letter) - ord("a") for letter in word] + [2]
    assert source.ids == letters
    logits = by_hand(tensors, letters, [2, *numbers[:-1]])
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    for step, row in zip(steps, probabilities, strict=True):
        assert step.probability == pytest.approx(row[step.token_id], abs=1e-5)


def test_make_model_rounds_it_to_half_the_bytes_and_it_pronounces_the_same(tmp_path, monkeypatch):
    stranger("g2p-en", tmp_path)
    monkeypatch.setattr(fetch, "download", lambda name, folder: package(name))
    fetch.main(["g2p-en", "--out", str(tmp_path)])
    made = tmp_path / "g2p-en"
    about = json.loads((made / "config.json").read_text("utf-8"))
    assert about["licence"] == "Apache-2.0"
    assert about["parameters"] == 834_890
    assert (made / "model.safetensors").stat().st_size < 1_700_000
    runner = open_checkpoint(made)
    *_, end = runner.translate(runner.read(about["prompt"]), points=[])
    assert end.text == PRONOUNCED[about["prompt"]]


# -- EasyOCR: convolutions, LSTMs in both directions, CTC ------------------------------------


def test_the_reader_of_lines_is_recognised_and_proven(reader):
    _, diagnosis, _ = reader
    assert diagnosis.kind == "crnn"
    assert diagnosis.config["classes"] == 97
    assert [q.name for q in diagnosis.questions] == ["vocabulary", "height"]
    layers = {proof.layer for proof in diagnosis.proof}
    assert layers == {"rnn.0", "rnn.0.reverse", "rnn.1", "rnn.1.reverse"}
    assert all(proof.digits > 12 for proof in diagnosis.proof)
    assert any("module." in sentence.text for sentence in diagnosis.says)


def test_the_reader_of_lines_is_kept_bit_for_bit(reader):
    tensors, _, made = reader
    assert_nothing_was_rounded(tensors, made, ("num_batches_tracked",))


@torch.no_grad()
def test_the_reader_of_lines_computes_what_the_published_network_computes(reader):
    tensors, _, made = reader
    theirs = Lines((32, 64, 128, 256), 256, 256, 2, 97).eval()
    weights = {name.removeprefix("module."): value for name, value in tensors.items()}
    theirs.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    image = lines.draw("To be, or not")
    found = open_checkpoint(made).read(image, ["rnn.1.h"])
    grey = torch.from_numpy(np.asarray(image, np.float32)) / 255
    logits = theirs(((grey - 0.5) / 0.5)[None, None])[0]
    expected = logits.log_softmax(-1).numpy()
    np.testing.assert_allclose(np.log(found.probabilities), expected, atol=1e-3)
    np.testing.assert_allclose(found.probabilities, np.exp(expected), atol=1e-5)


def test_words_that_are_drawn_are_read(reader):
    runner = open_checkpoint(reader[2])
    for text in DRAWN:
        assert runner.read(runner.picture(text), []).text == text


def test_a_blurred_grey_picture_of_another_size_is_read(reader):
    runner = open_checkpoint(reader[2])
    image = lines.draw("gradient").resize((95, 30), Image.Resampling.BILINEAR)
    faded = image.point(lambda grey: 90 + grey // 3)
    assert runner.read(faded, []).text == "gradient"


def test_what_finds_text_in_pictures_is_not_taken_for_what_reads_it(reader, tmp_path):
    file = stranger("easyocr-en", tmp_path, CRAFT)
    read_in_child(file, tmp_path)
    diagnosis = diagnose(load_file(tmp_path / "tensors.safetensors"), {})
    assert diagnosis.kind is None
    assert not diagnosis.usable
    assert "No recurrent layer" in diagnosis.problems[0]
    largest = max(load_file(tmp_path / "tensors.safetensors").values(), key=np.size)
    assert str(tuple(largest.shape)) in diagnosis.problems[0]
    assert math.prod(largest.shape) > 1e6
