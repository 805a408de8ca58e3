"""Sequence to sequence with transformers: one stack reads a text, another writes one.

Source: Vaswani et al. 2017 (arXiv:1706.03762). The encoder's stack sees the whole source; each
block of the decoder sees the tokens written so far and then, across, the encoder's output. The
table of target tokens is the output's too (Press and Wolf 2017), with a bias of its own.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.checkpoint import check_sizes
from models.decoder import BEGIN, END
from models.transformer import Transformer, TransformerConfig


@dataclass(frozen=True)
class TransformerSeq2SeqConfig:
    """Everything that fixes the shapes and the formulas of both stacks."""

    source_size: int  # tokens that can be read
    target_size: int  # tokens that can be written
    context: int  # tokens of either text
    hidden_size: int
    encoder_layers: int
    decoder_layers: int
    num_heads: int
    mlp_size: int
    positions: str = "sinusoidal"
    norm: str = "layer"
    norm_first: bool = True
    activation: str = "relu"
    bias: bool = True
    dropout: float = 0.0  # while training only

    def _stack(self, vocab_size: int, num_layers: int, causal: bool) -> TransformerConfig:
        shared = ("context", "hidden_size", "num_heads", "mlp_size", "positions", "norm",
                  "norm_first", "activation", "bias", "dropout")  # fmt: skip
        return TransformerConfig(
            vocab_size=vocab_size,
            num_layers=num_layers,
            causal=causal,
            cross=causal,
            embedding_scale=self.hidden_size**0.5,
            final_norm=self.norm_first,
            **{name: getattr(self, name) for name in shared},
        )

    @property
    def encoder(self) -> TransformerConfig:
        """Of the stack that reads."""
        return self._stack(self.source_size, self.encoder_layers, causal=False)

    @property
    def decoder(self) -> TransformerConfig:
        """Of the stack that writes."""
        return self._stack(self.target_size, self.decoder_layers, causal=True)

    def check(self) -> None:
        """Refuse what no checkpoint of this kind has, before memory is taken for it."""
        bounds = {
            "source_size": (3, 1 << 20),
            "target_size": (3, 1 << 20),
            "hidden_size": (1, 16384),
            "encoder_layers": (1, 256),
            "decoder_layers": (1, 256),
        }
        check_sizes(self, bounds)
        self.encoder.check()
        self.decoder.check()

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


class TransformerSeq2Seq(nn.Module):
    """`forward` maps a source and the target up to each step to the logits of its tokens."""

    kind = "transformer_seq2seq"
    never_written: tuple[int, ...] = (BEGIN,)
    end = END

    def __init__(self, config: TransformerSeq2SeqConfig):
        super().__init__()
        self.config = config
        self.encoder = Transformer(config.encoder, "encoder.")
        self.decoder = Transformer(config.decoder, "decoder.")
        self.output_bias = nn.Parameter(torch.zeros(config.target_size))

    def read(self, source: Tensor, real: Tensor | None = None, **options) -> Tensor:
        """Source (B, S), `real` False at its padding -> what the decoder looks at, (B, S, D)."""
        return self.encoder(source, real=real, **options)

    def write(
        self, memory: Tensor, target: Tensor, real: Tensor | None = None, **options
    ) -> Tensor:
        """Memory (B, S, D) with its `real`, target tokens (B, T) beginning with `<s>` -> logits
        (B, T, target_size) of the token after each."""
        mask = None if real is None else real[:, None, None]  # (B, 1, 1, S)
        return self.unembed(self.decoder(target, memory=memory, memory_mask=mask, **options))

    def unembed(self, x: Tensor) -> Tensor:
        """The decoder's stream after its last norm (..., D) -> logits (..., target_size)."""
        return F.linear(x, self.decoder.token_embedding.weight, self.output_bias)

    def lens(self, residual: Tensor) -> Tensor:
        """What would be written if the decoder ended after a block with this stream (..., D)."""
        norm = self.decoder.final_norm
        return self.unembed(residual if norm is None else norm(residual))

    def forward(self, source: Tensor, target: Tensor, real: Tensor | None = None) -> Tensor:
        """Teacher forcing: source (B, S), target (B, T) -> logits (B, T, target_size)."""
        return self.write(self.read(source, real), target, real)

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> "TransformerSeq2Seq":
        """Seeded start: matrices by Xavier, tokens so that their scaled rows have unit numbers."""
        for name, parameter in self.named_parameters():
            if "embedding" in name:
                std = self.config.hidden_size**-0.5
                nn.init.normal_(parameter, std=std, generator=generator)
            elif parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)
        return self
