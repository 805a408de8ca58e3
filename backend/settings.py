"""Every setting once: its default, its unit and its help. The command line reads this table."""

import os
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def _setting(
    default,
    help: str,
    choices: tuple[str, ...] | None = None,
    bare: str | None = None,  # what its flag means without a value, where it may stand so
    variable: str | None = None,  # of the environment, for where the flag is not given
):
    about = {"help": help, "choices": choices, "bare": bare, "variable": variable}
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class Settings:
    """What a server is told when it starts."""

    host: str = _setting("127.0.0.1", "address to listen on; 0.0.0.0 lets other machines in")
    port: int = _setting(8000, "TCP port; 0 takes a free one")
    hosts: str = _setting(
        "",
        "names, between commas, under which a proxy or a name server leads here",
        variable="UNROLLED_HOSTS",
    )
    checkpoints: Path = _setting(ROOT / "checkpoints", "folder of checkpoint folders")
    imports: Path = _setting(ROOT / "imports", "folder of checkpoints that people brought")
    importing: str = _setting(
        "auto",
        "whether people may bring checkpoints; auto: where only this machine is listened to",
        ("auto", "on", "off"),
        variable="UNROLLED_IMPORTING",
    )
    join: str = _setting(
        "",
        "join code that keeps strangers out; without a value, or auto: one is made and told. The "
        "environment variable UNROLLED_JOIN does the same, and no list of processes shows it",
        bare="auto",
        variable="UNROLLED_JOIN",
    )
    device: str = _setting("auto", "where the networks run", ("auto", "cpu", "cuda"))
    threads: int = _setting(1, "CPU threads a matrix product may use")
    max_streams: int = _setting(
        256,
        "generations that advance together, per checkpoint; and translations and captions, in all",
    )
    max_queued: int = _setting(
        256, "generations that wait for a place; past that the answer is 429"
    )
    streams_per_client: int = _setting(64, "generations one address may have under way")
    streams_per_student: int = _setting(
        8, "generations each student may have under way, where there is a join code"
    )
    readings_per_client: int = _setting(
        256, "texts to trace, to label and the like that one address may have under way"
    )
    readings_per_student: int = _setting(32, "the same, where there is a join code")
    max_new_tokens: int = _setting(5000, "tokens one generation may write")
    max_text_characters: int = _setting(20000, "characters of a prefix or of a text to trace")
    max_context_tokens: int = _setting(
        1024, "tokens a transformer reads at once, where its own context is longer"
    )
    max_source_tokens: int = _setting(200, "tokens of a text to translate, or of a question")
    max_target_tokens: int = _setting(200, "tokens one translation or caption may write")
    max_series_values: int = _setting(2000, "values of a series to forecast")
    max_forecast_steps: int = _setting(240, "values of a series one forecast may go ahead")
    max_gradient_characters: int = _setting(
        400, "characters of a text whose gradients are followed back"
    )
    max_gradient_work: int = _setting(
        1 << 30, "steps times parameters of a text whose gradients are followed back"
    )
    max_context_characters: int = _setting(
        400, "characters of a text that is read again with short contexts"
    )
    max_context_work: int = _setting(
        1 << 36, "steps times parameters of a text that is read again with short contexts"
    )
    max_trace_bytes: int = _setting(64 << 20, "bytes of captured numbers in one trace")
    max_stream_bytes: int = _setting(512 << 20, "bytes of captured numbers in one generation")
    max_body_bytes: int = _setting(256 << 10, "bytes of a request's body")
    body_seconds: float = _setting(30.0, "seconds a request's body may take to arrive")
    max_head_bytes: int = _setting(128 << 10, "bytes of a request's line and headers")
    head_seconds: float = _setting(10.0, "seconds they may take to arrive")
    max_connections: int = _setting(4000, "connections at once; past that the answer is 503")
    connections_per_address: int = _setting(
        2000, "connections one address may have; behind one may be a whole class"
    )
    max_picture_bytes: int = _setting(16 << 20, "bytes of a request's body that holds a picture")
    max_upload_bytes: int = _setting(
        256 << 20, "bytes of pictures that arrive or wait to be read, all together"
    )
    max_import_bytes: int = _setting(512 << 20, "bytes of a checkpoint that is brought")
    max_imports_bytes: int = _setting(
        4 << 30, "bytes on disk of all checkpoints that were brought, together"
    )
    max_answers_bytes: int = _setting(
        8 << 20, "bytes of what is answered about a checkpoint: its vocabularies and labels"
    )
    import_seconds: float = _setting(600.0, "seconds a checkpoint may take to arrive")
    max_features_bytes: int = _setting(
        64 << 20, "bytes of features of pictures that are remembered, the pictures are not"
    )
    max_readings_bytes: int = _setting(
        256 << 20, "bytes of what transformers left behind in reading texts that are remembered"
    )
    upload_seconds: float = _setting(60.0, "seconds a picture may take to arrive")
    max_stream_seconds: float = _setting(300.0, "seconds one generation may last")
    max_trainings: int = _setting(
        64, "trainings at once, in the time that generations leave; past that the answer is 429"
    )
    trainings_per_client: int = _setting(4, "trainings one address may have under way")
    trainings_per_student: int = _setting(2, "the same, where there is a join code")
    max_training_seconds: float = _setting(300.0, "seconds one training may last")
    reader_seconds: float = _setting(30.0, "seconds a stream waits for a reader that has stopped")
    drain_seconds: float = _setting(5.0, "seconds running generations get when the server stops")
    metrics: str = _setting(
        "auto",
        "who may read /metrics; auto: this machine alone",
        ("auto", "on", "off"),
        variable="UNROLLED_METRICS",
    )
    log_format: str = _setting(
        "text",
        "how the log is written; json: a line for every request too",
        ("text", "json"),
        variable="UNROLLED_LOG_FORMAT",
    )

    def quota(self, of: str) -> int:
        """How many `of` something ("streams", ...) each client may have: a client is a student
        where there is a join code, else an address."""
        return getattr(self, f"{of}_per_{'student' if self.join else 'client'}")

    @property
    def takes_imports(self) -> bool:
        """Whether checkpoints may be brought: who is let in from elsewhere must be let do it."""
        here = loopback(self.host) and not self.hosts  # with other names there is a proxy
        return self.importing == "on" or (self.importing == "auto" and here)


def loopback(host: str) -> bool:
    """Whether an address is heard on this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def add_arguments(parser: ArgumentParser) -> None:
    """One flag a setting, named after it."""
    for entry in fields(Settings):
        parser.add_argument(
            f"--{entry.name.replace('_', '-')}",
            type=type(entry.default) if not isinstance(entry.default, Path) else Path,
            default=entry.default,
            choices=entry.metadata["choices"],
            **({"nargs": "?", "const": entry.metadata["bare"]} if entry.metadata["bare"] else {}),
            help=f"{entry.metadata['help']} (default: %(default)s)",
        )


def from_arguments(arguments: Namespace) -> Settings:
    """The settings of a parsed command line, and of the environment for flags that are not given.

    Raises `ValueError` for a variable whose value its setting does not know.
    """
    told = {entry.name: getattr(arguments, entry.name) for entry in fields(Settings)}
    for entry in fields(Settings):
        variable = entry.metadata["variable"]
        if variable and told[entry.name] == entry.default:
            told[entry.name] = os.environ.get(variable) or entry.default
            choices = entry.metadata["choices"]
            if choices and told[entry.name] not in choices:
                raise ValueError(
                    f"{variable} is {told[entry.name]!a}, expected one of {', '.join(choices)}"
                )
    return Settings(**told)
