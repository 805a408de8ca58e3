"""`hello-rnn`, the smallest model a lecture starts from: three sentences learned by heart.

One-hot characters, one plain layer of 12, all three sentences in one batch, padded with spaces to
the longest, 100 epochs of Adam at 0.01. Nothing is held out: it is meant to remember.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch.nn import functional as F

from models.char_rnn import CharRNN, CharRNNConfig, CharRunner
from models.checkpoint import write_checkpoint
from models.text import Characters
from models.training.adam import Adam
from models.training.corpus import encode
from models.training.samples import write_on

NAME = "hello-rnn"
SENTENCES = ("hey how are you", "good i am fine", "have a nice day")
EPOCHS, LEARNING_RATE, HIDDEN = 100, 0.01, 12
SEED = 0


def batch() -> tuple[list[str], torch.Tensor]:
    """The alphabet, and the sentences padded with spaces: (T, 3)."""
    longest = max(map(len, SENTENCES))
    padded = [sentence.ljust(longest) for sentence in SENTENCES]
    symbols = sorted(set("".join(padded)))
    return symbols, torch.stack([encode(text, symbols) for text in padded], dim=1)


def train(seed: int = SEED, epochs: int = EPOCHS) -> tuple[CharRNN, list[str], list[float]]:
    """The trained network, its alphabet and the loss in nats at each epoch."""
    symbols, text = batch()
    generator = torch.Generator().manual_seed(seed)
    config = CharRNNConfig("rnn_tanh", len(symbols), HIDDEN)
    network = CharRNN(config).initialize(generator)
    losses = [loss.item() for _, _, loss in learn(network, text, epochs, LEARNING_RATE)]
    return network.eval().requires_grad_(False), symbols, losses[:epochs]


def learn(
    network: CharRNN, text: torch.Tensor, epochs: int, learning_rate: float
) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
    """Train a network on a text (T, B), an epoch at a time.

    Yields how many epochs it has learned, 0 to `epochs`, the logits (T - 1, B, V) it has then, and
    their loss, whose gradients are there until the next epoch begins.
    """
    optimizer = Adam(network.parameters(), lr=learning_rate)
    for epoch in range(epochs + 1):
        logits, _ = network(text[:-1])
        loss = F.cross_entropy(logits.flatten(0, 1), text[1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        yield epoch, logits, loss
        if epoch < epochs:
            optimizer.step()


def greedy(network: CharRNN, symbols: list[str], prefix: str, length: int) -> str:
    """The text of `length` characters that takes the most likely one each time."""
    runner = CharRunner(network, Characters(symbols), capacity=1)
    return write_on(runner, prefix, length - len(prefix), top_k=1)


def make(folder: Path) -> None:
    """Train, check the stored weights, write the folder."""
    network, symbols, losses = train()
    network.load_state_dict({k: v.half().float() for k, v in network.state_dict().items()})
    goals = {sentence: sentence.split()[0] for sentence in SENTENCES}
    written = {
        prefix: greedy(network, symbols, prefix, len(sentence))
        for sentence, prefix in goals.items()
    }
    seeds = sum(
        greedy(net, names, "good", len(SENTENCES[1])) == SENTENCES[1]
        for net, names, _ in map(train, range(100))
    )
    about = {
        "kind": CharRNN.kind,
        "title": "Three sentences, plain RNN",
        "language": "en",
        "licence": "CC0-1.0",
        "prompt": "good",
        "sampling": {"top_k": 1, "length": 10},
        "config": network.config.to_dict(),
        "figures": {"train_nats": round(losses[-1], 4), "seeds_of_100": seeds},
        "training": {"epochs": EPOCHS, "losses": [round(loss, 4) for loss in losses]},
    }
    lines = "\n".join(f"- `{prefix}` goes on to `{text}`" for prefix, text in written.items())
    card = f"""# {NAME}

The smallest model a lecture starts from: {", ".join(f"`{s}`" for s in SENTENCES)} learned by
heart. One-hot characters ({len(symbols)} symbols), one plain tanh layer of {HIDDEN}, Adam at
{LEARNING_RATE}, {EPOCHS} epochs, all sentences in one batch, padded with spaces to the longest.

Training loss after the last epoch: {losses[-1]:.3f} nats a character. There is no test split:
nothing is held out, it is meant to remember. The stored float16 weights, taking the most likely
character each time:

{lines}

Of 100 seeds of the same recipe, {seeds} go on from `good` to `{SENTENCES[1]}`; this is seed {SEED}.

The command that trained it and measured this: `make train NAME={NAME}`. The sentences were
written for this purpose; licence CC0.
"""
    weights = network.state_dict()
    write_checkpoint(folder, about, symbols, weights, card)
    print(f"{folder}: {written}, {seeds} of 100 seeds")
