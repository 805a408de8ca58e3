"""Files as people bring them, made by torch in code, and what brings them."""

import io
import json
import zipfile
from pathlib import Path

import torch
from torch import nn

SYMBOLS = list("\n abcdef")


class Letters(nn.Module):
    """What a tutorial trains: an embedding, an LSTM, a linear layer."""

    def __init__(self, seed: int = 0, hidden: int = 6):
        super().__init__()
        torch.manual_seed(seed)
        self.emb = nn.Embedding(len(SYMBOLS), 5)
        self.lstm = nn.LSTM(5, hidden, 2)
        self.fc = nn.Linear(hidden, len(SYMBOLS))


def saved(value) -> bytes:
    """The bytes that torch.save makes."""
    raw = io.BytesIO()
    torch.save(value, raw)
    return raw.getvalue()


def letters(seed: int = 0, **extras) -> bytes:
    """A state dict, bare, or beside what else a training saves."""
    state = Letters(seed).state_dict()
    return saved({"model_state_dict": state, **extras} if extras else state)


class Hostile:
    """What runs a command where it is unpickled."""

    def __init__(self, command: str):
        self.command = command

    def __reduce__(self):
        import os

        return os.system, (self.command,)


def zipped(folder: Path, inside: str = "") -> bytes:
    """A folder's files as a .zip, deflated, in a folder of that name."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, inside + path.name)
    return raw.getvalue()


def bring(client, raw, name: str = "model.pt"):
    """POST a file."""
    headers = {"Content-Type": "application/octet-stream"}
    return client.post(f"/api/checkpoints?name={name}", content=raw, headers=headers)


def answer(client, id: str, **body):
    """POST answers."""
    return client.post(f"/api/checkpoints/{id}/answers", json=body)


def brought(client, raw, symbols: list[str] | None = None, name: str = "model.pt") -> str:
    """Bring a file and answer its vocabulary; returns its id, ready to run."""
    told = bring(client, raw, name)
    assert told.status_code == 201, told.text
    id = told.json()["id"]
    if symbols:
        told = answer(client, id, answers={"vocabulary": symbols})
    assert told.json()["status"] == "ready", json.dumps(told.json(), indent=1)[:3000]
    return id


def left(folder: Path) -> list[str]:
    """Everything that lies in the folder of imports, by name."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
