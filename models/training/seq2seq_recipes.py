"""One recipe a sequence-to-sequence checkpoint: the pairs, the network, how long to train it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from models.seq2seq import Seq2SeqConfig
from models.training.date_pairs import Dates
from models.training.multi30k import Multi30k


@dataclass(frozen=True)
class PairRecipe:
    """How a network is trained on pairs of texts. Units: pairs, steps of a batch."""

    title: str
    pair: str  # the checkpoint to hold it against
    data: Callable[[Path], object]  # from the data folder to what gives the pairs
    network: dict = field(default_factory=dict)  # Seq2SeqConfig without the vocabularies' sizes
    epochs: int = 18
    batch_size: int = 64
    learning_rate: float = 2e-3  # peak of the cosine
    warmup: int = 400  # steps
    clip: float = 1.0  # norm of the gradient
    smoothing: float = 0.1  # share of the target spread over all tokens
    seed: int = 1
    prompt: str = "A black dog is running on the beach."
    examples: tuple[str, ...] = ()
    source: str = ""  # what the pairs are, for the card
    origin: str = ""
    licence: str = ""

    def config(self, source_size: int, target_size: int) -> Seq2SeqConfig:
        """The network for vocabularies of these sizes."""
        return Seq2SeqConfig(source_size=source_size, target_size=target_size, **self.network)


SENTENCES = {
    "cell": "gru",
    "embedding_size": 192,
    "encoder_size": 192,
    "decoder_size": 384,
    "dropout": 0.3,
}


def multi30k(folder: Path) -> Multi30k:
    """English to French with 4,000 word pieces on each side."""
    return Multi30k(folder, 4000, 4000)


EXAMPLES = (
    "A black dog is running on the beach.",
    "Two children are playing with a ball in the snow.",
    "A man in a blue shirt is standing on a ladder cleaning a window.",
    "An old woman with a red hat sells flowers at the market while her dog sleeps under the table.",
)
MULTI30K = {
    "data": multi30k,
    "examples": EXAMPLES,
    "source": "Multi30k, task 1, raw text (Elliott et al. 2016)",
    "origin": "github.com/multi30k/dataset",
    "licence": "research and education, not commercial",
}
DATES = {
    "data": lambda folder: Dates(),
    "prompt": "the 22nd of November, 2026",
    "examples": (
        "the 22nd of November, 2026",
        "22 ноября 2026 года",
        "Sunday, Nov 22 2026",
        "двадцать второе ноября две тысячи двадцать шестого года",
        "22.XI.2026",
    ),
    "source": "dates of 1900 to 2099 in 197 English and Russian forms, by this code",
    "origin": "`models/training/dates.py`; names of months and days from Babel (CLDR)",
    "licence": "CC0-1.0",
    "epochs": 16,
    "batch_size": 128,
    "smoothing": 0.0,
    "network": {
        "cell": "gru",
        "embedding_size": 32,
        "encoder_size": 64,
        "decoder_size": 128,
        "dropout": 0.05,
    },
}

PAIR_RECIPES = {
    "translate-en-fr": PairRecipe(
        title="English to French, attention",
        pair="translate-en-fr-plain",
        **MULTI30K,
        network=SENTENCES | {"attention": "additive", "attention_size": 192},
    ),
    "translate-en-fr-plain": PairRecipe(
        title="English to French, one vector",
        pair="translate-en-fr",
        **MULTI30K,
        network=SENTENCES | {"attention": "none"},
    ),
    "dates": PairRecipe(
        title="Dates to ISO, attention",
        pair="dates-plain",
        **DATES | {"network": DATES["network"] | {"attention": "additive", "attention_size": 64}},
    ),
    "dates-plain": PairRecipe(
        title="Dates to ISO, one vector",
        pair="dates",
        **DATES | {"network": DATES["network"] | {"attention": "none"}},
    ),
}
