"""A folder in Hugging Face's form: `config.json` with a `model_type`, safetensors, tokenizer.json.

The `transformers` library writes such folders (`save_pretrained`); it is not needed to read them.
`read_folder` makes of one what `read_checkpoint` makes of a folder of ours. Weights may be float16,
bfloat16 or float32, in one file or in several with `model.safetensors.index.json`; every tensor is
taken, or is known not to matter here and listed in the card, or the folder is refused. Nothing is
unpickled: `pytorch_model.bin` is not read.
"""

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from models.checkpoint import (
    MAX_HEADER_BYTES,
    MAX_TENSORS,
    CheckpointError,
    CheckpointFiles,
    read_json,
    read_text,
)
from models.families import FAMILIES
from models.foreign import Box, Said

MAX_WEIGHT_BYTES = 16 << 30  # of all files together
MAX_TOKENIZER_BYTES = 64 << 20
MAX_FILES = 64
WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"


def read_folder(folder: Path) -> CheckpointFiles:
    """Read a folder of a supported family. Raises `CheckpointError`, naming what is wrong."""
    said = read_json(folder / "config.json")
    model = said.get("model_type") if isinstance(said, dict) else None
    if not isinstance(model, str) or model not in FAMILIES:
        raise CheckpointError(
            f"config.json: model_type is {model!r:.80}; supported are {', '.join(FAMILIES)}"
        )
    family = FAMILIES[model]
    tokenizer = read_text(folder / "tokenizer.json", MAX_TOKENIZER_BYTES)
    with ExitStack() as stack:
        shapes, load = _open_weights(folder, stack)
        box = Box(shapes, load)
        config, weights = family.read(Said(said), box)
        left_out = box.finish(family.unused)
    about = {
        "kind": family.kind,
        "title": folder.name,
        "licence": None,
        "config": config.to_dict(),
        "parameters": sum(value.numel() for value in weights.values()),
        "figures": {},
        "data": {"model_type": model, "left_out": left_out},
    }
    card = folder / "README.md"
    text = card.read_text("utf-8", "replace") if card.is_file() else _card(folder.name, about)
    return CheckpointFiles(folder.name, about, None, weights, text, {"tokenizer.json": tokenizer})


def _card(title: str, about: dict) -> str:
    left_out = about["data"]["left_out"]
    return (
        f"# {title}\n\nRead from a folder in Hugging Face's form, of the family "
        f"`{about['data']['model_type']}`; licence: see its source.\n\n"
        f"Tensors that are not shown here: {', '.join(left_out) or 'none'}.\n"
    )


def _open_weights(
    folder: Path, stack: ExitStack
) -> tuple[dict[str, tuple[int, ...]], Callable[[str], Tensor]]:
    """The shapes of all tensors, and what loads one while `stack` is open."""
    files = {}  # by tensor
    shapes: dict[str, tuple[int, ...]] = {}
    paths, listed = _files(folder)
    if sum(path.stat().st_size for path in paths) > MAX_WEIGHT_BYTES:
        raise CheckpointError(f"the weights are larger than {MAX_WEIGHT_BYTES} bytes")
    for path in paths:
        file = stack.enter_context(_open(path))
        for name in file.keys():  # noqa: SIM118
            if name in shapes:
                raise CheckpointError(f"{name} is in more than one file")
            files[name] = file
            shapes[name] = tuple(file.get_slice(name).get_shape())
    if len(shapes) > MAX_TENSORS:
        raise CheckpointError(f"there are {len(shapes)} tensors, at most {MAX_TENSORS} are read")
    if listed is not None and listed != shapes.keys():
        first = min(listed ^ shapes.keys())
        where = f"listed in {INDEX} and in no file" if first in listed else f"not listed in {INDEX}"
        raise CheckpointError(f"{first} is {where}")
    return shapes, lambda name: files[name].get_tensor(name)


def _files(folder: Path) -> tuple[list[Path], set[str] | None]:
    """The files of weights, and the tensors that an index lists, where there is one."""
    if (folder / WHOLE).is_file():
        return [folder / WHOLE], None
    if not (folder / INDEX).is_file():
        other = "; pytorch_model.bin is not read, because unpickling runs code"
        raise CheckpointError(
            f"{WHOLE} is missing{other if (folder / 'pytorch_model.bin').is_file() else ''}"
        )
    index = read_json(folder / INDEX)
    listed = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(listed, dict) or not all(isinstance(name, str) for name in listed.values()):
        raise CheckpointError(f"{INDEX} must hold an object weight_map of file names")
    names = sorted(set(listed.values()))
    if not 1 <= len(names) <= MAX_FILES:
        raise CheckpointError(f"{INDEX} names {len(names)} files, expected 1 to {MAX_FILES}")
    for name in names:
        if not re.fullmatch(r"[\w-][\w.-]*\.safetensors", name):
            raise CheckpointError(f"{INDEX} names {name!r:.80}, expected a file of this folder")
        if not (folder / name).is_file():
            raise CheckpointError(f"{name} is missing")
    return [folder / name for name in names], set(listed)


def _open(path: Path):
    """A safetensors file whose header is bounded."""
    with path.open("rb") as file:
        first = file.read(8)
    header = int.from_bytes(first, "little")
    if len(first) < 8 or header > min(MAX_HEADER_BYTES, path.stat().st_size - 8):
        raise CheckpointError(f"{path.name} is truncated or not a safetensors file")
    try:
        return safe_open(path, "pt")
    except (SafetensorError, ValueError, OSError) as error:
        raise CheckpointError(f"{path.name} cannot be read: {error}") from error
