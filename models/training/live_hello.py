"""`hello-rnn` while it learns: its three sentences, and what it would write at each moment.

With its default parameters a run ends with the weights of the checkpoint `hello-rnn`.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from models.char_rnn import CharRNN, CharRNNConfig
from models.trace import Point
from models.training import hello
from models.training.live import (
    Frame,
    Parameter,
    Parameters,
    Recipe,
    finite,
    gradient_norm,
    kept_epochs,
)

PROMPTS = tuple(sentence.split()[0] for sentence in hello.SENTENCES)
LENGTH = max(map(len, hello.SENTENCES))


def parameters() -> tuple[Parameter, ...]:
    """What can be chosen."""
    return (
        Parameter("hidden_size", hello.HIDDEN, "units of the layer", 1, 32),
        Parameter("epochs", hello.EPOCHS, "times that all sentences are read", 1, 1000),
        Parameter("learning_rate", hello.LEARNING_RATE, "step size of Adam", 0.0001, 1.0),
        Parameter("seed", hello.SEED, "of the first weights", 0, (1 << 31) - 1),
    )


def fixed(asked: Parameters) -> Frame:
    """The sentences, padded as they are read; the first words it writes on from; the alphabet."""
    symbols, _ = hello.batch()
    sentences = [sentence.ljust(LENGTH) for sentence in hello.SENTENCES]
    texts = {"sentences": sentences, "prompts": list(PROMPTS), "symbols": symbols}
    return Frame(0, {"chance": 1 / len(symbols)}, texts=texts)


def build(asked: Parameters) -> tuple[CharRNN, list[str], Tensor]:
    """A network before its first epoch, its alphabet, and the text (T, 3)."""
    symbols, text = hello.batch()
    generator = torch.Generator().manual_seed(asked["seed"])
    config = CharRNNConfig("rnn_tanh", len(symbols), asked["hidden_size"])
    return CharRNN(config).initialize(generator), symbols, text


def run(asked: Parameters) -> Iterator[Frame | None]:
    """A frame after each epoch that has one, else None."""
    yield from train(*build(asked), asked["epochs"], asked["learning_rate"])


def train(
    network: CharRNN, symbols: list[str], text: Tensor, epochs: int, learning_rate: float
) -> Iterator[Frame | None]:
    """Train a network, and show it."""
    kept = set(kept_epochs(epochs))
    losses: list[float] = []
    for epoch, logits, loss in hello.learn(network, text, epochs, learning_rate):
        losses.append(finite(loss.item(), epoch))
        if epoch in kept:
            yield _frame(network, symbols, text, epoch, logits.detach(), losses)
            losses = []
        else:
            yield None


@torch.no_grad()
def _frame(
    network: CharRNN, symbols: list[str], text: Tensor, epoch: int, logits: Tensor, losses
) -> Frame:
    T, B = text[1:].shape
    hidden, _ = network.rnn(network.embed(text[:-1]))  # (T, B, H)
    given = logits.softmax(-1).gather(-1, text[1:, :, None])[..., 0]  # (T, B)
    right = (logits.argmax(-1) == text[1:]).float().mean().item()
    return Frame(
        epoch,
        {"loss": losses[-1], "right": right, "gradient_norm": gradient_norm(network)},
        {
            "losses": np.array(losses, np.float32),
            "right": given.T.numpy(),  # (B, T)
            "rnn.0.h": hidden.transpose(0, 1).numpy(),  # (B, T, H)
            "weight_hh_l0": network.rnn.weight_hh_l0.numpy().copy(),
        },
        {"written": write(network, symbols, PROMPTS)},
    )


@torch.no_grad()
def write(network: CharRNN, symbols: list[str], prompts: Sequence[str]) -> list[str]:
    """The texts of `LENGTH` characters that begin so and take the most likely one each time."""
    rows = [[symbols.index(character) for character in prompt] for prompt in prompts]
    state = None
    for at in range(LENGTH - 1):  # of all texts at once
        logits, state = network(torch.tensor([[row[at] for row in rows]]), state)  # (1, B, V)
        for row, likeliest in zip(rows, logits[0].argmax(-1).tolist(), strict=True):
            if len(row) == at + 1:  # past the prompt
                row.append(likeliest)
    return ["".join(symbols[token] for token in row) for row in rows]


RECIPE = Recipe(
    name=hello.NAME,
    help="Three sentences learned by heart by one plain recurrent layer.",
    checkpoint=hello.NAME,
    parameters=parameters(),
    points=(
        Point("losses", ("epoch",), "real", (None,)),
        Point("right", ("sentence", "time"), "unit", (len(PROMPTS), LENGTH - 1)),
        Point("rnn.0.h", ("sentence", "time", "unit"), "signed", (len(PROMPTS), LENGTH - 1, None)),
        Point("weight_hh_l0", ("unit", "unit"), "real", (None, None)),
    ),
    fixed=fixed,
    run=run,
)
