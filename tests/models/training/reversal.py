"""A task that is learned in seconds: write three letters from the last to the first."""

from itertools import product
from random import Random

from models.subwords import characters
from models.training.seq2seq_recipes import PairRecipe

LETTERS = "abc"
TEXTS = ["".join(text) for n in (2, 3) for text in product(LETTERS, repeat=n)]


class Reversal:
    """Pairs like abc, cba."""

    source_language, target_language = "forwards", "backwards"

    def __init__(self, pairs: int = 640):
        self.pairs = pairs
        self.hashes = {"letters.txt": "ab" * 32}
        self.vocabularies = characters(LETTERS), characters(LETTERS)
        self.epochs_read: list[int] = []

    def epoch(self, number: int, seed: int):
        self.epochs_read.append(number)
        texts = Random(f"{seed} {number}").choices(TEXTS, k=self.pairs)
        source, target = self.vocabularies
        return list(
            zip(
                source.encode_many(texts),
                target.encode_many([text[::-1] for text in texts]),
                strict=True,
            )
        )

    def score(self, write) -> float:
        pairs = zip(write(TEXTS), TEXTS, strict=True)
        return sum(written == text[::-1] for written, text in pairs) / len(TEXTS)

    def figures(self, translate) -> dict:
        exact = [translate(text, 1) == text[::-1] for text in TEXTS]
        share = round(sum(exact) / len(exact), 4)
        return {
            "exact": share,
            "exact_test": "all",
            "exact_pairs": len(TEXTS),
            "exact_seen_forms": share,
            "length_unit": "characters",
            "exact_by_length": [{"from": 2, "to": 3, "sentences": len(TEXTS), "exact": share}],
        }


RECIPE = PairRecipe(
    title="Backwards",
    pair="toy-other",
    data=lambda folder: Reversal(),
    network={
        "cell": "gru",
        "attention": "additive",
        "embedding_size": 12,
        "encoder_size": 12,
        "decoder_size": 24,
        "attention_size": 12,
        "dropout": 0.05,
    },
    epochs=12,
    batch_size=32,
    learning_rate=2e-2,
    warmup=5,
    smoothing=0.0,
    prompt="abc",
    examples=("abc", "cab"),
    source="every text of two or three letters, by this code",
    origin="written here",
    licence="CC0-1.0",
)
