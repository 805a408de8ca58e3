"""One recipe a checkpoint of the transformer family."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from models.training.multi30k import Multi30k
from models.training.recipes import SHAKESPEARE, Source
from models.training.seq2seq_recipes import EXAMPLES
from models.transformer_lm import TransformerLMConfig
from models.transformer_seq2seq import TransformerSeq2SeqConfig


@dataclass(frozen=True)
class TransformerRecipe:
    """How a language model is trained. Units: steps of a batch of windows, characters, nats."""

    title: str
    source: Source
    network: dict = field(default_factory=dict)  # TransformerLMConfig without vocab_size
    epochs: int = 4
    batch_size: int = 24  # windows of `context` characters
    learning_rate: float = 0.02  # of Muon; constant, then falling to zero in a line
    ratio: float = 0.25  # of it: the rate of Adam for what is no hidden matrix
    constant: float = 0.4  # share of the steps before the rate falls
    warmup: int = 50  # steps
    clip: float = 1.0  # norm of the gradient
    seed: int = 1
    prompt: str = "To be, or "
    language: str = "en"
    note: str = ""

    def config(self, vocab_size: int) -> TransformerLMConfig:
        """The network for an alphabet of this size."""
        return TransformerLMConfig(vocab_size=vocab_size, **self.network)


TRANSFORMER_RECIPES = {
    "shakespeare-gpt": TransformerRecipe(
        "Shakespeare, transformer",
        SHAKESPEARE,
        {
            "context": 256,
            "hidden_size": 128,
            "num_layers": 4,
            "num_heads": 4,
            "mlp_size": 576,  # 4.5 times as wide: as many parameters as shakespeare-lstm to 2.2%
            "positions": "rotary",
            "norm": "rms",
            "bias": False,
        },
    ),
}


@dataclass(frozen=True)
class TransformerPairRecipe:
    """How a transformer is trained on pairs of texts. Units: pairs, steps of a batch."""

    title: str
    data: Callable[[Path], object]  # from the data folder to what gives the pairs
    network: dict = field(default_factory=dict)  # the config without the vocabularies' sizes
    epochs: int = 15
    batch_size: int = 128
    learning_rate: float = 0.02  # of Muon, peak of the cosine
    ratio: float = 0.15  # of it: the rate of Adam for what is no hidden matrix
    warmup: int = 300  # steps
    clip: float = 1.0  # norm of the gradient
    smoothing: float = 0.1  # share of the target spread over all tokens
    seed: int = 1
    prompt: str = EXAMPLES[0]
    examples: tuple[str, ...] = EXAMPLES
    pair: str = ""  # there is no partner of the same size
    source: str = "Multi30k, task 1, raw text (Elliott et al. 2016)"
    origin: str = "github.com/multi30k/dataset"
    licence: str = "research and education, not commercial"

    def config(self, source_size: int, target_size: int) -> TransformerSeq2SeqConfig:
        """The network for vocabularies of these sizes."""
        return TransformerSeq2SeqConfig(
            source_size=source_size, target_size=target_size, **self.network
        )


TRANSFORMER_PAIR_RECIPES = {
    "translate-en-fr-transformer": TransformerPairRecipe(
        "English to French, transformer",
        lambda folder: Multi30k(folder, 2000, 2400),
        {
            "context": 128,
            "hidden_size": 128,
            "encoder_layers": 3,
            "decoder_layers": 2,
            "num_heads": 4,
            "mlp_size": 256,
            "dropout": 0.15,
        },
    ),
}
