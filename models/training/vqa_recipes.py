"""One recipe a network that answers questions: its size, how long to train it, what guides it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from models.questions import ANSWERS
from models.scenes import MOST
from models.vqa import VqaConfig


@dataclass(frozen=True)
class VqaRecipe:
    """How a network is trained on questions about drawn scenes. Units: scenes, steps of a batch."""

    title: str
    network: dict = field(default_factory=dict)  # VqaConfig without what the data decide
    epochs: int = 12
    scenes: int = 32  # in a step, each with a question of every kind that it admits
    learning_rate: float = 3e-3  # peak of the cosine
    warmup: int = 200  # steps
    clip: float = 1.0  # norm of the gradient
    placement: float = 0.3  # weight of attention on the thing that is named, then on the one asked
    counting: float = 1.0  # weight of the counter on the centres of what is counted
    unknown: float = 0.02  # share of the words that are read as unknown while training
    blind_epochs: int = 2  # of the same network without pictures, to be held against
    seed: int = 1
    examples: tuple[str, ...] = ()
    origin: str = "drawn by this code: `models/scenes.py`, `models/questions.py`"
    licence: str = "CC0-1.0"

    def blind(self) -> "VqaRecipe":
        """The recipe of that network: there is nothing to look at and to count."""
        return replace(self, epochs=self.blind_epochs, placement=0.0, counting=0.0)

    def config(self, question_size: int, answers: Sequence[str] = ANSWERS) -> VqaConfig:
        """The network for a vocabulary of this size."""
        return VqaConfig(answers, question_size, most=MOST, **self.network)


VQA_RECIPES = {
    "vqa-shapes": VqaRecipe(
        title="Questions about drawn scenes",
        network={
            "embedding_size": 64,
            "state_size": 128,
            "attention_size": 128,
            "readout_size": 160,
            "hops": 2,
            "dropout": 0.1,
        },
        examples=(
            "what colour is the star?",
            "what is left of the house?",
            "how many circles are there?",
            "is there a red heart?",
        ),
    ),
}
