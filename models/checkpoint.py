"""A checkpoint folder: `config.json`, `model.safetensors`, a vocabulary, `README.md`.

The vocabulary is `vocabulary.json`, a list of symbols, or tokenizer files, or none, as the kind
needs it.

`config.json` holds `kind`, `title`, `licence`, `config` (what fixes the shapes), `figures`
(what was measured), `data` and `training` (how it came to be), and may name a `prompt` and a way of
`sampling` to start with. Weights rest as `models.resting` says, in float16 for the most part, and
are computed with in float32. Reading trusts nothing: sizes are bounded before memory is taken, and
every tensor is named, with the shape that was found and the shape that was expected.
"""

import json
import math
import os
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

from models.resting import rounded, unpacked

MAX_HEADER_BYTES = 1 << 20
MAX_TENSORS = 4096
MAX_WEIGHT_BYTES = 1 << 30
MAX_JSON_BYTES = 8 << 20
TOKENIZERS = ("source.tokenizer.json", "target.tokenizer.json", "tokenizer.json")


class CheckpointError(ValueError):
    """A checkpoint folder that cannot be used, and why."""


@dataclass(frozen=True)
class CheckpointFiles:
    """What was read from a folder, before a network is built from it."""

    id: str
    about: dict  # config.json
    vocabulary: list[str] | None  # vocabulary.json, where there is one
    weights: dict[str, Tensor]  # float32, and counts
    card: str  # README.md
    tokenizers: dict[str, str] = field(default_factory=dict)  # the text of each TOKENIZERS file


def read_text(path: Path, most: int = MAX_JSON_BYTES) -> str:
    """The text of a file of at most so many bytes. Raises `CheckpointError`."""
    try:
        if path.stat().st_size > most:
            raise CheckpointError(f"{path.name} is larger than {most} bytes")
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise CheckpointError(f"{path.name} is missing") from error
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{path.name} is not UTF-8: {error}") from error


def read_json(path: Path):
    """What a JSON file holds. Raises `CheckpointError`."""
    try:
        return json.loads(read_text(path))
    except CheckpointError:
        raise
    except (ValueError, RecursionError) as error:  # not JSON, an absurd number
        raise CheckpointError(f"{path.name} is not valid JSON: {error}") from error


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file as finite float32 tensors, after bounding its header."""
    try:
        raw = path.read_bytes() if path.stat().st_size <= MAX_WEIGHT_BYTES else None
    except FileNotFoundError as error:
        raise CheckpointError(f"{path.name} is missing") from error
    if raw is None:
        raise CheckpointError(f"{path.name} is larger than {MAX_WEIGHT_BYTES} bytes")
    header = int.from_bytes(raw[:8], "little")
    if len(raw) < 8 or header > min(MAX_HEADER_BYTES, len(raw) - 8):
        raise CheckpointError(f"{path.name} is truncated or not a safetensors file")
    try:
        stored = load_safetensors(raw)
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path.name} cannot be read: {error}") from error
    if len(stored) > MAX_TENSORS:
        raise CheckpointError(f"{path.name} holds {len(stored)} tensors, at most {MAX_TENSORS}")
    try:
        weights = unpacked(stored)
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{name} holds NaN or infinity, expected finite float32 numbers")
    return weights


def read_checkpoint(folder: Path) -> CheckpointFiles:
    """Read and check a checkpoint folder. Raises `CheckpointError`, naming what is wrong."""
    about = read_json(folder / "config.json")
    if not isinstance(about, dict) or not isinstance(about.get("config"), dict):
        raise CheckpointError('config.json must be an object with an object "config"')
    if not isinstance(about.get("kind"), str):
        raise CheckpointError('config.json must name its "kind"')
    tokenizers = {n: read_text(folder / n) for n in TOKENIZERS if (folder / n).is_file()}
    card, vocabulary = folder / "README.md", folder / "vocabulary.json"
    return CheckpointFiles(
        folder.name,
        about,
        None if tokenizers or not vocabulary.is_file() else _read_vocabulary(vocabulary),
        read_weights(folder / "model.safetensors"),
        card.read_text("utf-8", "replace") if card.is_file() else "",
        tokenizers,
    )


def _read_vocabulary(path: Path) -> list[str]:
    vocabulary = read_json(path)
    if not isinstance(vocabulary, list) or not all(isinstance(s, str) for s in vocabulary):
        raise CheckpointError("vocabulary.json must be a list of strings")
    if not vocabulary or len(set(vocabulary)) != len(vocabulary):
        raise CheckpointError("vocabulary.json must hold distinct symbols, at least one")
    if any("\ud800" <= c <= "\udfff" for symbol in vocabulary for c in symbol):
        raise CheckpointError("vocabulary.json must hold characters, found a lone surrogate")
    return vocabulary


def config_of(kind: type, about: dict):
    """The checked `config` of a config.json, as the dataclass of its kind."""
    try:
        config = kind(**about["config"])
    except TypeError as error:
        raise CheckpointError(f"config.json: {error}") from error
    config.check()
    return config


def check_choice(config, name: str, known: Collection[str]) -> None:
    """Refuse a word that is not one of those known."""
    found = getattr(config, name)
    if found not in list(known):  # a list: what was found may have no hash
        raise CheckpointError(f"{name} is {found!r}, expected one of {', '.join(known)}")


def check_sizes(config, bounds: dict[str, tuple[int, int]]) -> None:
    """Refuse sizes outside their bounds, both included, and a dropout that is no share."""
    for name, (low, high) in bounds.items():
        value = getattr(config, name)
        if type(value) is not int or not low <= value <= high:  # True is an int too
            raise CheckpointError(f"{name} is {value!r}, expected an integer {low}..{high}")
    dropout = getattr(config, "dropout", 0.0)
    if type(dropout) not in (int, float) or not 0 <= dropout <= 1:
        raise CheckpointError(f"dropout is {dropout!r}, expected a number 0..1")


def fill(network: nn.Module, weights: dict[str, Tensor]) -> nn.Module:
    """Load weights into a network built on `meta`; name the first tensor that does not fit."""
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    for name, shape in expected.items():
        if name not in weights:
            raise CheckpointError(f"{name} {shape} is missing from model.safetensors")
        if tuple(weights[name].shape) != shape:
            found = tuple(weights[name].shape)
            raise CheckpointError(f"{name} has shape {found}, expected {shape}")
    extra = sorted(weights.keys() - expected.keys())
    if extra:
        raise CheckpointError(f"{extra[0]} is not part of this network")
    network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)


def write_file(path: Path, content: bytes | str) -> None:
    """Write whole or not at all: a temporary file beside it, synced, then renamed."""
    raw = content.encode("utf-8") if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_checkpoint(
    folder: Path,
    about: dict,
    vocabulary: list[str] | dict[str, str],
    weights: dict[str, Tensor],
    card: str,
    pack: bool = False,
) -> None:
    """Write a checkpoint folder, the weights rounded to float16, or with `pack` to `packed`.

    `vocabulary` is a list of symbols, or the texts of tokenizer files by their names, or {}.
    """
    weights = {name: value.detach() for name, value in weights.items()}
    stored = {name: value.contiguous() for name, value in rounded(weights, pack).items()}
    for name, value in stored.items():
        if not torch.isfinite(value).all():
            raise CheckpointError(f"{name} does not fit in float16")
    write_file(folder / "model.safetensors", save_safetensors(stored))
    if isinstance(vocabulary, list):
        vocabulary = {"vocabulary.json": json.dumps(vocabulary, ensure_ascii=False) + "\n"}
    for name, text in vocabulary.items():
        write_file(folder / name, text)
    write_file(folder / "README.md", card)
    about = {**about, "parameters": sum(math.prod(value.shape) for value in weights.values())}
    write_file(folder / "config.json", json.dumps(about, ensure_ascii=False, indent=2) + "\n")
