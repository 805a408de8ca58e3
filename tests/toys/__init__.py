"""Tiny seeded checkpoints, written as real folders: what the server's tests serve.

Here are what every sort of them needs, and the character models; the others have modules.
"""

from dataclasses import replace
from pathlib import Path

import torch

from models.char_rnn import CharRNN, CharRNNConfig
from models.checkpoint import write_checkpoint

# Letters, and what JSON, HTML and UTF-8 find difficult.
SYMBOLS = sorted(set(" \n\"\\/<&>'abcdefghiо́ж\u2028😀"))
TEXT = 'abba <"cd"> \\ жo\u2028😀 fade\nbee'.replace("o", "о")

CONFIGS = {
    "toy-lstm": CharRNNConfig("lstm", len(SYMBOLS), 12, 2, embedding_size=5),
    "toy-gru": CharRNNConfig("gru", len(SYMBOLS), 9, 2),
    "toy-rnn": CharRNNConfig("rnn_tanh", len(SYMBOLS), 7, 1),
    "toy-relu": CharRNNConfig("rnn_relu", len(SYMBOLS), 6, 2, embedding_size=4),
}


def network(config: CharRNNConfig, seed: int = 0) -> CharRNN:
    """A network with weights of a seed, lively enough that its states and choices differ."""
    generator = torch.Generator().manual_seed(seed)
    spread = 0.4 if config.cell == "rnn_relu" else 0.8
    return lively(CharRNN(config), spread, generator)


def lively(built, spread: float, generator: torch.Generator):
    """Weights of a normal distribution, in the numbers that are stored."""
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.copy_(spread * torch.randn(parameter.shape, generator=generator))
            parameter.copy_(parameter.half().float())  # as it will be stored
    return built.eval().requires_grad_(False)


def attentive(built, seed: int):
    """Weights of a seed, such that attention is neither even nor all on one token."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in built.named_parameters():
            spread = 1.6 if "query" in name or "key" in name else 1.0
            value = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 2 and "embedding" not in name:
                value *= spread * parameter.shape[1] ** -0.5
            elif "norm" in name and name.endswith("weight"):
                value = 1 + 0.1 * value
            else:  # tokens small: else what was read last, whose row is the output's, comes again
                value *= 0.1
            parameter.copy_(value.half().float())  # as it will be stored
    return built.eval().requires_grad_(False)


def about(config: CharRNNConfig, title: str = "A toy") -> dict:
    """What `config.json` says, but for the number of parameters."""
    return {
        "kind": "char_rnn",
        "title": title,
        "language": "en",
        "licence": "CC0-1.0",
        "prompt": "ab",
        "config": config.to_dict(),
        "figures": {"test_nats": 1.5},
        "data": {"file": "none"},
    }


def write(folder: Path, said: dict, files, tensors: dict, seed: int) -> None:
    """Write a checkpoint folder with a card of its own."""
    write_checkpoint(folder, said, files, tensors, f"# {folder.name}\n\nA toy of seed {seed}.\n")


def write_toy(folder: Path, config: CharRNNConfig, symbols=SYMBOLS, seed: int = 0) -> CharRNN:
    """Write a checkpoint folder; returns the network it was written from."""
    config = replace(config, vocab_size=len(symbols))
    built = network(config, seed)
    write(folder, about(config), list(symbols), built.state_dict(), seed)
    return built


def write_toys(folder: Path) -> dict[str, CharRNN]:
    """Write one checkpoint of each cell; the networks by the checkpoints' names."""
    return {name: write_toy(folder / name, config) for name, config in CONFIGS.items()}
