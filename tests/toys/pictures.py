"""Toys that look at pictures: they describe, answer questions, or read a line."""

from pathlib import Path

import torch

from models.captioner import Captioner, CaptionerConfig
from models.crnn import CRNN, CRNNConfig
from models.questions import ANSWERS, vocabulary
from models.scenes import MOST
from models.subwords import END, words
from models.vqa import Vqa, VqaConfig
from tests.toys import about, lively, write

CAPTIONS = ("a dog runs on the grass", "two men play in the snow", "a child jumps into the water")
SEES = words(CAPTIONS * 2, 1)
CAPTIONERS = {
    f"toy-{name}": CaptionerConfig(attention, len(SEES), 6, 9, 5, 4)
    for name, attention in {"soft": "soft", "hard": "hard", "blind": "none"}.items()
}


def captioner(config: CaptionerConfig, seed: int = 0, ends: bool = False) -> Captioner:
    """A network with weights of a seed. Unless it `ends`, it writes as long as it may."""
    generator = torch.Generator().manual_seed(seed)
    built = lively(Captioner(config), 0.8, generator)
    shape = built.familiar.typical.shape
    rows = torch.nn.functional.normalize(torch.randn(shape, generator=generator), dim=-1)
    built.familiar.typical.copy_(rows.half().float())
    if not ends:
        built.output_bias[END] = -30.0
    return built


def write_captioner(folder: Path, id: str, seed: int = 0, ends: bool = False) -> Captioner:
    """Write a checkpoint folder of one of CAPTIONERS; returns the network it was written from."""
    config = CAPTIONERS[id]
    built = captioner(config, seed, ends)
    said = {
        **about(config, "A toy that describes"),
        "kind": "captioner",
        "pair": "toy-blind" if id == "toy-soft" else "toy-soft",
        "figures": {},
        "calibration": {"distance": [0.2, 0.9, 1.1, 1.9], "log_probability": [-6.0, -2.0, -0.1]},
    }
    files = {"target.tokenizer.json": SEES.save()}
    write(folder, said, files, built.state_dict(), seed)
    return built


def write_answerer(folder: Path, seed: int = 0) -> Vqa:
    """Write a checkpoint folder that answers questions; returns the network it was written from."""
    known = vocabulary()
    config = VqaConfig(ANSWERS, len(known), 6, 8, 5, 7, 2, MOST)
    built = lively(Vqa(config), 0.8, torch.Generator().manual_seed(seed))
    said = {**about(config, "A toy that answers"), "kind": "vqa", "figures": {}}
    files = {"source.tokenizer.json": known.save()}
    write(folder, said, files, built.state_dict(), seed)
    return built


SIGNS = ["<blank>", *"abc ", "é"]
LINE_READERS = {
    "toy-lines": CRNNConfig("lstm", (2, 3, 4, 5), 4, 6, 2, len(SIGNS), 32),
    "toy-lines-gru": CRNNConfig("gru", (2, 2, 3, 3), 3, 5, 1, len(SIGNS), 48),
}


def line_reader(config: CRNNConfig, seed: int = 0) -> CRNN:
    """A network with weights of a seed."""
    generator = torch.Generator().manual_seed(seed)
    built = lively(CRNN(config), 0.6, generator)
    for name, value in built.named_buffers():
        value.copy_((torch.rand(value.shape, generator=generator) + 0.5).half())
        if name.endswith(("mean", "bias")):
            value.sub_(1.0)
    return built


def write_line_reader(folder: Path, id: str, seed: int = 0) -> CRNN:
    """Write a checkpoint folder of one of LINE_READERS; returns its network."""
    built = line_reader(LINE_READERS[id], seed)
    said = {**about(built.config, "A toy that reads lines"), "kind": "crnn", "figures": {}}
    write(folder, said, list(SIGNS), built.state_dict(), seed)
    return built
