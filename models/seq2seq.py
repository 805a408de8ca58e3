"""Sequence to sequence with recurrent networks: read a text, then write another.

A bidirectional encoder makes an annotation of every source position, h_j = [forward; backward]; the
decoder (`decoder`) looks at them. It starts from

    s_0 = tanh(W_b [forward last; backward first])

Source: Bahdanau, Cho, Bengio 2015 (arXiv:1409.0473). Without attention the context is the one
vector C = tanh(W_c [forward last; backward first]) at every step, as in Cho et al. 2014
(arXiv:1406.1078): everything that the decoder will know of the source has to pass through it.

`encoder` has the parameter names of `torch.nn.GRU` and `nn.LSTM`.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.attention import SCORES
from models.checkpoint import CheckpointError, check_choice, check_sizes
from models.decoder import CELLS, Decoder, Memory


@dataclass(frozen=True)
class Seq2SeqConfig:
    """Everything that fixes the shapes."""

    cell: str  # gru or lstm, of encoder and decoder
    attention: str  # additive, dot, general or none
    source_size: int  # tokens that can be read
    target_size: int  # tokens that can be written
    embedding_size: int  # of both sides
    encoder_size: int  # of one direction
    decoder_size: int
    attention_size: int = 0  # of the additive score's hidden layer
    encoder_layers: int = 1
    dropout: float = 0.0  # while training only: embeddings, annotations, before the softmax

    def check(self) -> None:
        """Refuse sizes that no checkpoint of this kind has, before memory is taken for them."""
        check_choice(self, "cell", CELLS)
        check_choice(self, "attention", (*SCORES, "none"))
        bounds = {
            "source_size": (3, 1 << 17),
            "target_size": (3, 1 << 17),
            "embedding_size": (1, 8192),
            "encoder_size": (1, 8192),
            "decoder_size": (1, 8192),
            "attention_size": (int(self.attention == "additive"), 8192),
            "encoder_layers": (1, 16),
        }
        check_sizes(self, bounds)
        if self.attention == "dot" and self.decoder_size != 2 * self.encoder_size:
            raise CheckpointError(
                f"dot attention needs decoder_size = 2 * encoder_size, "
                f"found {self.decoder_size} and {self.encoder_size}"
            )

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


class Seq2Seq(Decoder):
    """`forward` maps a source and the target up to each step to the logits of its tokens."""

    kind = "seq2seq"
    tasks = ("translate",)

    def __init__(self, config: Seq2SeqConfig):
        C = 2 * config.encoder_size
        super().__init__(
            config.cell,
            config.attention,
            config.target_size,
            config.embedding_size,
            config.decoder_size,
            C,
            config.attention_size,
            config.dropout,
        )
        self.config = config
        self.source_embedding = nn.Embedding(config.source_size, config.embedding_size)
        self.encoder = CELLS[config.cell](
            config.embedding_size,
            config.encoder_size,
            config.encoder_layers,
            bidirectional=True,
            dropout=config.dropout if config.encoder_layers > 1 else 0.0,
        )
        self.bridge = nn.Linear(C, config.decoder_size)
        self.bottleneck = nn.Linear(C, C) if config.attention == "none" else None

    def read(self, source: Tensor, lengths: Tensor | None = None) -> tuple[Memory, Tensor]:
        """Source (S, B), padded behind `lengths` (B,) -> the memory and the first state (R, B, D).

        Padding is never read: the backward direction starts at the last real token.
        """
        x = self.drop(self.source_embedding(source))  # (S, B, N)
        if lengths is None:
            h, _ = self.encoder(x)  # (S, B, C)
            mask = None
        else:
            packed = pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)
            h, _ = pad_packed_sequence(self.encoder(packed)[0], total_length=len(source))
            mask = torch.arange(len(source), device=source.device) < lengths[:, None]  # (B, S)
        return self.remember(h, lengths, mask)

    def remember(
        self, h: Tensor, lengths: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Memory, Tensor]:
        """Annotations (S, B, C) -> the memory and the decoder's first state (R, B, D)."""
        E = self.config.encoder_size
        last = h[-1, :, :E]
        if lengths is not None:
            at = (lengths.to(h.device) - 1)[None, :, None].expand(1, -1, E)
            last = h[..., :E].gather(0, at)[0]
        ends = torch.cat([last, h[0, :, E:]], dim=-1)  # (B, C): what each direction ended with
        first = torch.tanh(self.bridge(ends)).float()
        state = first[None]
        if self.config.cell == "lstm":
            state = torch.stack([first, torch.zeros_like(first)])
        annotations = self.drop(h).transpose(0, 1)  # (B, S, C)
        keys = None if self.attention is None else self.attention.keys(annotations)
        fixed = None if self.bottleneck is None else torch.tanh(self.bottleneck(ends))
        return Memory(annotations, keys, mask, fixed), state

    def forward(self, source: Tensor, lengths: Tensor | None, target: Tensor) -> Tensor:
        """Teacher forcing: source (S, B), lengths (B,) or None, target (T, B) beginning with
        `<s>` -> logits (T, B, target_size) of the token after each."""
        return self.follow(*self.read(source, lengths), target).logits
