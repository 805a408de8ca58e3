"""An encoder of the BERT family: it reads a text whole, and every token sees every other.

Source: Devlin et al. 2019 (arXiv:1810.04805). The network is one stack that is not causal, with a
norm after each part and one on the embeddings, and learned positions. BERT also adds one of two
rows that tell a first text from a second; a text here is always a first one, so that row is added
to every row of the table of positions, once, when foreign weights are read (`models.families`).

Where the weights have a head for masked words, `unembed` maps the stream to guesses of the token
that stands at each place, through a dense layer, a norm and the embedding's own table.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.checkpoint import CheckpointError
from models.transformer import ACTIVATIONS, NORMS, Transformer, TransformerConfig


@dataclass(frozen=True)
class EncoderConfig(TransformerConfig):
    """A stack that sees in both directions; its defaults are BERT's."""

    causal: bool = False
    norm_eps: float = 1e-12
    norm_first: bool = False
    embedding_norm: bool = True
    final_norm: bool = False
    masked_words: bool = False  # the weights have a head that guesses masked words

    def check(self) -> None:
        """Refuse what no encoder is."""
        super().check()
        if type(self.masked_words) is not bool:
            raise CheckpointError(f"masked_words is {self.masked_words!r}, expected true or false")
        if self.causal or self.cross:
            raise CheckpointError("an encoder sees in both directions and looks at no other text")


class MaskedWords(nn.Module):
    """The head: norm(activation(dense(x))), to be multiplied by the table of tokens, + bias."""

    def __init__(self, config: EncoderConfig):
        super().__init__()
        D = config.hidden_size
        self.activation = ACTIVATIONS[config.activation]
        self.dense = nn.Linear(D, D)
        self.norm = NORMS[config.norm](D, config.norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, x: Tensor, table: Tensor) -> Tensor:
        """The stream (..., D) and the table of tokens (V, D) -> logits (..., V)."""
        return F.linear(self.norm(self.activation(self.dense(x))), table, self.bias)


class Encoder(Transformer):
    """`forward` maps tokens (B, T) to the stream (B, T, D)."""

    kind = "encoder"

    def __init__(self, config: EncoderConfig):
        super().__init__(config)
        self.head = MaskedWords(config) if config.masked_words else None

    @property
    def unembed(self) -> Callable[[Tensor], Tensor] | None:
        """The stream (..., D) -> logits (..., V) of the token at its place; None without a head."""
        return None if self.head is None else self._guess

    @property
    def lens(self) -> Callable[[Tensor], Tensor] | None:
        """What would be guessed if the stack ended here, from the stream after any block."""
        return None if self.head is None else self._lens

    def _guess(self, x: Tensor) -> Tensor:
        return self.head(x, self.token_embedding.weight)

    def _lens(self, x: Tensor) -> Tensor:
        return self._guess(x if self.final_norm is None else self.final_norm(x))
