"""One recipe a captioner: the attention, how long to train it, and on what."""

from dataclasses import dataclass, field, replace

from models.captioner import CaptionerConfig

ORIGIN = "github RlNZLER/Image-Text-Matching and quantumnaan/sic_translator"
LICENCE = "research and education, not commercial"
# BLEU-1 to 4 on the same photographs, Xu et al. 2015, table 1
PUBLISHED = {"soft": [67.0, 44.8, 29.9, 19.5], "hard": [67.0, 45.7, 31.4, 21.3]}


@dataclass(frozen=True)
class CaptionRecipe:
    """How a network is trained on photographs with captions. Units: pictures, steps of a batch."""

    title: str
    pair: str  # the checkpoint to hold it against
    network: dict = field(default_factory=dict)  # CaptionerConfig without the vocabulary's size
    epochs: int = 8
    photographs: int = 16  # in a step, each with its five captions
    composed: int = 0  # composed pictures in a step, whose places are known
    learning_rate: float = 2e-3  # peak of the cosine
    warmup: int = 400  # steps
    clip: float = 1.0  # norm of the gradient
    smoothing: float = 0.1  # share of the target spread over all words
    feature_dropout: float = 0.2  # of a picture's features, while training
    coverage: float = 0.02  # weight of how unevenly the cells are used
    placement: float = 0.0  # weight of attention inside the object that a marked word names
    reinforce: float = 0.0  # weight of the gradient of drawn cells, hard attention only
    entropy: float = 0.0  # weight of the entropy of the draws in it
    start: str = ""  # the recipe whose weights this one starts from
    polish: int = 0  # epochs of self-critical training behind the others
    polish_rate: float = 5e-4  # peak of the cosine in them
    length_penalty: float = 0.7  # of the beam search that is measured, chosen on validation
    seed: int = 1
    origin: str = ORIGIN
    licence: str = LICENCE

    def polishing(self) -> "CaptionRecipe":
        """The recipe of the epochs of self-critical training: little is dropped, since what is
        drawn has to be what the network would write."""
        return replace(
            self,
            network=self.network | {"dropout": 0.15},
            epochs=self.polish,
            composed=2,
            learning_rate=self.polish_rate,
            warmup=100,
            feature_dropout=0.1,
        )

    def config(self, target_size: int) -> CaptionerConfig:
        """The network for a vocabulary of this size."""
        return CaptionerConfig(target_size=target_size, **self.network)


SIZE = {
    "embedding_size": 128,
    "decoder_size": 256,
    "context_size": 160,
    "attention_size": 128,
    "dropout": 0.4,
}
# The second and third start where the first one is before it is polished: they have its words and
# its decoder, and learn to do with one cell, or with the mean of all.
AFTER = {"epochs": 2, "composed": 4, "learning_rate": 7e-4, "warmup": 100, "start": "caption-soft"}
CAPTION_RECIPES = {
    "caption-soft": CaptionRecipe(
        title="Captions, soft attention",
        pair="caption-plain",
        network=SIZE | {"attention": "soft"},
        composed=4,
        placement=0.2,
        polish=3,
    ),
    "caption-hard": CaptionRecipe(
        title="Captions, hard attention",
        pair="caption-soft",
        network=SIZE | {"attention": "hard"},
        placement=0.2,
        reinforce=0.3,
        entropy=0.02,
        polish=2,
        **AFTER,
    ),
    "caption-plain": CaptionRecipe(
        title="Captions, one vector",
        pair="caption-soft",
        network=SIZE | {"attention": "none"},
        polish=2,
        **AFTER,
    ),
}
