"""One recipe a checkpoint of counts."""

from dataclasses import dataclass

from models.ngram import NGramConfig
from models.training.recipes import SHAKESPEARE, Source


@dataclass(frozen=True)
class NGramRecipe:
    """What is counted and what of it is kept. `least`: nats that an n-gram has to save on the
    training text, one number an order; 0 keeps them all."""

    title: str
    source: Source
    least: tuple[float, ...]
    epochs: int = 1
    prompt: str = "To be, or "
    language: str = "en"

    def config(self, vocab_size: int) -> NGramConfig:
        """The table for an alphabet of this size."""
        return NGramConfig(vocab_size=vocab_size, order=len(self.least))


# Order 6 is the best of the whole tables on validation. Of the longest n-grams those stay that save
# most, so that the table takes less than half the bytes of a network beside it.
NGRAM_RECIPES = {
    "shakespeare-ngram": NGramRecipe(
        "Shakespeare, n-grams", SHAKESPEARE, (0, 0, 0.5, 0.5, 1.25, 3)
    ),
}
