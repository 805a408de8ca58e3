"""One recipe a checkpoint of convolutions."""

from dataclasses import dataclass, field

from models.char_conv import CharConvConfig
from models.training.recipes import SHAKESPEARE, Source


@dataclass(frozen=True)
class ConvolutionRecipe:
    """How a convolutional model is trained. Units: steps of a batch of windows, characters."""

    title: str
    source: Source
    network: dict = field(default_factory=dict)  # CharConvConfig without vocab_size
    window: int = 512  # characters that a row of a batch holds
    epochs: int = 4
    batch_size: int = 12  # windows
    learning_rate: float = 0.03  # of Muon, peak of the cosine
    ratio: float = 0.25  # of it: the rate of Adam for what is no hidden matrix
    warmup: int = 50  # steps
    clip: float = 1.0  # norm of the gradient
    keep: float = 0.99  # share of the running mean of the weights that a step keeps
    seed: int = 1
    prompt: str = "To be, or "
    language: str = "en"
    note: str = ""

    def config(self, vocab_size: int) -> CharConvConfig:
        """The network for an alphabet of this size."""
        return CharConvConfig(vocab_size=vocab_size, **self.network)


CONVOLUTION_RECIPES = {
    "shakespeare-conv": ConvolutionRecipe(
        "Shakespeare, convolutions",
        SHAKESPEARE,
        {
            "hidden_size": 128,
            "gate_size": 136,  # as many parameters as shakespeare-gpt to 0.4%
            "num_layers": 7,  # dilations 1 to 64: 255 characters are seen
        },
    ),
}
