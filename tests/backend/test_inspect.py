"""`python -m backend inspect`: what it prints, and with which status it ends."""

import json

import pytest
from safetensors.numpy import load_file, save_file

from backend.__main__ import main
from tests.models.doctor.practice import SYMBOLS, Written, held, seeded
from tests.toys import CONFIGS, write_toy


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.safetensors"
    save_file(held(seeded(Written), "module."), path)
    return path


def run(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["inspect", *map(str, arguments)])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_a_file_is_told_with_its_proof_its_health_and_what_is_asked(file, capsys):
    status, out, _ = run(capsys, file)
    assert status == 1
    for part in (
        "mine.safetensors: safetensors, 7 tensors",
        "module.rnn.weight_hh_l0 (28, 7)",
        "rnn.0  h",
        "digits agree with torch",
        "good  rnn.0",
        "vocabulary: Which 11 symbols",
        "--vocabulary FILE",
    ):
        assert part in out
    assert "\x1b" not in out  # no colours where it is not a terminal


@pytest.mark.parametrize(
    ("written", "count"),
    [
        (json.dumps(SYMBOLS), 11),
        ("\n".join(map(str, range(11))), 11),
        ("".join(SYMBOLS[1:]) + "\n", 10),
    ],
)
def test_a_vocabulary_may_be_json_or_lines_or_one_line(file, tmp_path, capsys, written, count):
    vocabulary = tmp_path / "vocabulary.txt"
    vocabulary.write_text(written)
    status, out, _ = run(capsys, file, "--vocabulary", vocabulary)
    assert (status, "It runs here." in out) == ((0, True) if count == 11 else (1, False))
    assert ("holds 10 names, 11 are needed" in " ".join(out.split())) == (count == 10)


def test_json_holds_the_same_and_a_folder_is_written(file, tmp_path, capsys):
    answer = f"vocabulary={json.dumps(SYMBOLS)}"
    status, out, _ = run(capsys, file, "--json", "--answer", answer, "--to", tmp_path / "made")
    told = json.loads(out)
    assert status == 0
    assert told["usable"]
    assert told["kind"] == "char_rnn"
    assert told["questions"] == told["problems"] == []
    assert {proof["quantity"] for proof in told["proof"]} == {"h", "c"}
    kept = load_file(tmp_path / "made" / "model.safetensors")["rnn.weight_hh_l0"]
    assert kept.tobytes() == load_file(file)["module.rnn.weight_hh_l0"].tobytes()
    about = json.loads((tmp_path / "made" / "config.json").read_text())
    assert about["data"]["file"] == "mine.safetensors"
    status, out, _ = run(capsys, tmp_path / "made")
    assert status == 0
    assert "run as char_rnn" in out


@pytest.mark.parametrize("name", CONFIGS)
def test_folders_of_the_project_are_inspected_too(tmp_path, capsys, name):
    write_toy(tmp_path / name, CONFIGS[name])
    status, out, _ = run(capsys, tmp_path / name)
    assert status == 0
    assert "It runs here." in out


def test_refused_files_end_with_status_two_and_say_why(tmp_path, capsys):
    bad = tmp_path / "bad.pt"
    bad.write_bytes(b"no file of weights")
    status, out, err = run(capsys, bad)
    assert (status, out) == (2, "")
    assert "unknown_format" in err
    status, out, _ = run(capsys, bad, "--json")
    assert (status, json.loads(out)["error"]["code"]) == (2, "unknown_format")
    status, _, err = run(capsys, tmp_path / "none.pt")
    assert (status, "No such file" in err) == (2, True)
    status, _, err = run(capsys, bad, "--answer", "nothing")
    assert (status, "NAME=VALUE" in err) == (2, True)


def test_weights_beyond_all_measure_are_told_as_json_too(tmp_path, capsys):
    tensors = {name: value * 0 + 1e38 for name, value in held(seeded(Written)).items()}
    save_file(tensors, tmp_path / "huge.safetensors")
    status, out, _ = run(capsys, tmp_path / "huge.safetensors", "--json")
    assert status == 1
    assert json.loads(out)["kind"] == "char_rnn"


def test_names_in_a_file_cannot_steer_the_terminal(tmp_path, capsys):
    tensors = {f"\x1b[31m{name}": value for name, value in held(seeded(Written)).items()}
    save_file(tensors, tmp_path / "evil.safetensors")
    _, out, err = run(capsys, tmp_path / "evil.safetensors")
    assert "\x1b" not in out + err
