"""A language model of the transformer family: read tokens, predict the next one.

Source: Radford et al. 2019 (GPT-2). The network is one causal stack (`transformer`) and a linear
map to the tokens, which is the embedding's own table (Press and Wolf 2017) unless `tied` is false.
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from models.checkpoint import CheckpointError
from models.transformer import Transformer, TransformerConfig


@dataclass(frozen=True)
class TransformerLMConfig(TransformerConfig):
    """A stack and its way to the tokens."""

    tied: bool = True  # the embedding's table is the output's too

    def check(self) -> None:
        """Refuse what no language model is."""
        super().check()
        if type(self.tied) is not bool:
            raise CheckpointError(f"tied is {self.tied!r}, expected true or false")
        if not self.causal or self.cross:
            raise CheckpointError("a language model is causal and looks at no other text")


class TransformerLM(Transformer):
    """`logits` maps tokens (B, T) to what comes after each, (B, T, V)."""

    kind = "transformer_lm"

    def __init__(self, config: TransformerLMConfig):
        super().__init__(config)
        D, V = config.hidden_size, config.vocab_size
        self.output = None if config.tied else nn.Linear(D, V, bias=False)

    def unembed(self, x: Tensor) -> Tensor:
        """The stream after the last norm (..., D) -> logits (..., V)."""
        weight = self.token_embedding.weight if self.output is None else self.output.weight
        return F.linear(x, weight)

    def lens(self, residual: Tensor) -> Tensor:
        """What would be predicted if the stack ended here: the last norm and the map to the
        tokens, on the stream (..., D) after any block (the logit lens; nostalgebraist 2020)."""
        return self.unembed(residual if self.final_norm is None else self.final_norm(residual))

    def logits(self, tokens: Tensor, **options) -> Tensor:
        """Tokens (B, T) -> logits (B, T, V); options as in `Transformer.forward`."""
        return self.unembed(self(tokens, **options))
