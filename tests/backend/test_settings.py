import argparse
from dataclasses import fields
from pathlib import Path

import pytest

from backend.settings import Settings, add_arguments, from_arguments

OTHER = {
    "device": "cpu",
    "host": "::1",
    "checkpoints": "elsewhere",
    "imports": "elsewhere",
    "importing": "off",
    "metrics": "on",
    "log_format": "json",
}
NAMES = [entry.name for entry in fields(Settings)]


def parse(*arguments: str) -> Settings:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return from_arguments(parser.parse_args(arguments))


def test_no_flags_give_the_defaults():
    assert parse() == Settings()


@pytest.mark.parametrize("entry", fields(Settings), ids=NAMES)
def test_every_setting_is_a_flag_of_its_name_and_of_its_type(entry):
    value = OTHER.get(entry.name, "7")
    changed = parse(f"--{entry.name.replace('_', '-')}", value)
    assert getattr(changed, entry.name) == type(getattr(Settings(), entry.name))(value)
    others = set(NAMES) - {entry.name}
    assert all(getattr(changed, name) == getattr(Settings(), name) for name in others)


@pytest.mark.parametrize("entry", fields(Settings), ids=NAMES)
def test_every_setting_says_what_it_is(entry):
    assert len(entry.metadata["help"]) > 10


VARIABLES = {entry.metadata["variable"]: entry.name for entry in fields(Settings)}


@pytest.mark.parametrize("variable", sorted(filter(None, VARIABLES)))
def test_a_variable_of_the_environment_sets_what_no_flag_does(variable, monkeypatch):
    name = VARIABLES[variable]
    value = OTHER.get(name, "given-by-name")
    monkeypatch.setenv(variable, value)
    assert getattr(parse(), name) == value
    monkeypatch.setenv(variable, "")
    assert parse() == Settings()


def test_a_variable_whose_value_nobody_knows_is_refused_with_those_that_are(monkeypatch):
    monkeypatch.setenv("UNROLLED_METRICS", "yes\n")
    with pytest.raises(ValueError, match=r"UNROLLED_METRICS is 'yes\\n', expected one of auto, on"):
        parse()


def test_the_server_keeps_to_this_machine_unless_told_otherwise():
    assert Settings().host == "127.0.0.1"


def test_the_folder_of_checkpoints_is_the_repositorys_wherever_it_is_started_from(root):
    assert Settings().checkpoints == root / "checkpoints"
    assert isinstance(parse("--checkpoints", "x").checkpoints, Path)


@pytest.mark.parametrize(
    ("host", "importing", "taken"),
    [
        ("127.0.0.1", "auto", True),
        ("::1", "auto", True),
        ("localhost", "auto", True),
        ("0.0.0.0", "auto", False),
        ("::", "auto", False),
        ("192.168.1.7", "auto", False),
        ("localhost.example", "auto", False),
        ("0.0.0.0", "on", True),
        ("127.0.0.1", "off", False),
    ],
)
def test_checkpoints_are_brought_where_only_this_machine_is_listened_to_or_by_order(
    host, importing, taken
):
    assert Settings(host=host, importing=importing).takes_imports is taken


def test_where_a_proxy_leads_here_checkpoints_are_brought_by_order_only():
    assert not Settings(hosts="rnn.example.org").takes_imports
    assert Settings(hosts="rnn.example.org", importing="on").takes_imports


@pytest.mark.parametrize("arguments", [("--device", "tpu"), ("--port", "http"), ("--speed", "9")])
def test_a_flag_that_cannot_be_used_ends_the_command(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(*arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err
