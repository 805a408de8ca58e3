"""Tiny seeded character checkpoints, written as real folders: what the server's tests serve."""

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
    built = CharRNN(config)
    with torch.no_grad():
        for parameter in built.parameters():
            spread = 0.4 if config.cell == "rnn_relu" else 0.8
            parameter.copy_(spread * torch.randn(parameter.shape, generator=generator))
            parameter.copy_(parameter.half().float())  # as it will be stored
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


def write_toy(folder: Path, config: CharRNNConfig, symbols=SYMBOLS, seed: int = 0) -> CharRNN:
    """Write a checkpoint folder; returns the network it was written from."""
    config = replace(config, vocab_size=len(symbols))
    built = network(config, seed)
    card = f"# {folder.name}\n\nA toy of seed {seed}.\n"
    write_checkpoint(folder, about(config), list(symbols), built.state_dict(), card)
    return built


def write_toys(folder: Path) -> dict[str, CharRNN]:
    """Write one checkpoint of each cell; the networks by the checkpoints' names."""
    return {name: write_toy(folder / name, config) for name, config in CONFIGS.items()}
