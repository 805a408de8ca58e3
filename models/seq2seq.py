"""Sequence to sequence with recurrent networks: read a text, then write another.

A bidirectional encoder makes an annotation of every source position, h_j = [forward; backward]. The
decoder writes token i from the token before it, its own state and a context:

    s_0       = tanh(W_b [forward last; backward first])
    context_i = attention over h_1..h_S with the query s_{i-1}       (`attention`)
    s_i       = cell([embedding(y_{i-1}); context_i], s_{i-1})
    p(y_i)    = softmax(E tanh(W_o [s_i; context_i; embedding(y_{i-1})]) + b)

Source: Bahdanau, Cho, Bengio 2015 (arXiv:1409.0473), with one tanh layer where they have a maxout,
and with E tied to the target embedding (Press and Wolf 2017). Without attention the context is
the one vector C = tanh(W_c [forward last; backward first]) at every step, as in Cho et al. 2014
(arXiv:1406.1078): everything that the decoder will know of the source has to pass through it.

`encoder` and `decoder` have the parameter names of `torch.nn.GRU` and `nn.LSTM`. The decoder runs
step by step, since its input depends on its own state; the products with the tokens, which do not,
are made for all steps at once.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.attention import SCORES, Attended, Attention
from models.cells import gates
from models.checkpoint import CheckpointError

CELLS: dict[str, type[nn.RNNBase]] = {"gru": nn.GRU, "lstm": nn.LSTM}
UNKNOWN, BEGIN, END = 0, 1, 2  # numbers of <unk>, <s>, </s> on both sides


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
        for name, known in (("cell", tuple(CELLS)), ("attention", (*SCORES, "none"))):
            if getattr(self, name) not in known:
                found = getattr(self, name)
                raise CheckpointError(f"{name} is {found!r}, expected one of {', '.join(known)}")
        bounds = {
            "source_size": (3, 1 << 17),
            "target_size": (3, 1 << 17),
            "embedding_size": (1, 8192),
            "encoder_size": (1, 8192),
            "decoder_size": (1, 8192),
            "attention_size": (int(self.attention == "additive"), 8192),
            "encoder_layers": (1, 16),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise CheckpointError(f"{name} is {value!r}, expected an integer {low}..{high}")
        if type(self.dropout) not in (int, float) or not 0 <= self.dropout <= 1:
            raise CheckpointError(f"dropout is {self.dropout!r}, expected a number 0..1")
        if self.attention == "dot" and self.decoder_size != 2 * self.encoder_size:
            raise CheckpointError(
                f"dot attention needs decoder_size = 2 * encoder_size, "
                f"found {self.decoder_size} and {self.encoder_size}"
            )

    def to_dict(self) -> dict:
        """The fields as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Memory:
    """A source that has been read: what the decoder looks at."""

    annotations: Tensor  # (B, S, C), C = 2 * encoder_size
    keys: Tensor | None  # (B, S, A), what queries are held against
    mask: Tensor | None  # (B, S), True where the source is real; None: everywhere
    fixed: Tensor | None  # (B, C), the one context of a network without attention

    def take(self, rows: Tensor) -> "Memory":
        """The memory of some rows, or of one row several times."""
        parts = (self.annotations, self.keys, self.mask, self.fixed)
        return Memory(*(part if part is None else part[rows] for part in parts))


@dataclass(frozen=True)
class Advanced:
    """One step of the decoder."""

    state: Tensor  # (R, B, D): h, and c of an LSTM
    gates: dict[str, Tensor]  # by letter, (B, D) each
    context: Tensor  # (B, C)
    attended: Attended | None


class Seq2Seq(nn.Module):
    """`forward` maps a source and the target up to each step to the logits of its tokens."""

    kind = "seq2seq"
    tasks = ("translate",)

    def __init__(self, config: Seq2SeqConfig):
        super().__init__()
        self.config = config
        self.linear = F.linear  # what makes the products of a step; `products` is faster for few
        N, E, D, C = (
            config.embedding_size,
            config.encoder_size,
            config.decoder_size,
            2 * config.encoder_size,
        )
        self.source_embedding = nn.Embedding(config.source_size, N)
        self.target_embedding = nn.Embedding(config.target_size, N)
        self.encoder = CELLS[config.cell](
            N,
            E,
            config.encoder_layers,
            bidirectional=True,
            dropout=config.dropout if config.encoder_layers > 1 else 0.0,
        )
        self.bridge = nn.Linear(C, D)
        self.bottleneck = self.attention = None
        if config.attention == "none":
            self.bottleneck = nn.Linear(C, C)
        else:
            self.attention = Attention(config.attention, D, C, config.attention_size)
        self.decoder = CELLS[config.cell](N + C, D)
        self.readout = nn.Linear(D + C + N, N)
        self.output_bias = nn.Parameter(torch.zeros(config.target_size))

    def drop(self, x: Tensor) -> Tensor:
        """Dropout of (T, B, F) while training, with one mask for all steps of a row (Gal and
        Ghahramani 2016)."""
        p = self.config.dropout
        if not self.training or p == 0:
            return x
        keep = torch.empty_like(x[:1]).bernoulli_(1 - p).div_(1 - p)
        return x * keep

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

    def advance(
        self,
        from_y: Tensor,
        state: Tensor,
        memory: Memory,
        context_weight: Tensor,
        force: Tensor | None = None,
    ) -> Advanced:
        """One step. `from_y` (B, G * D) and `context_weight` come from `token_part`,
        `state` is (R, B, D), `force` as in `Attention.forward`."""
        h, attended = state[0], None
        if self.attention is None:
            context = memory.fixed
        else:
            attended = self.attention(h, memory.keys, memory.annotations, memory.mask, force)
            context = attended.context
        from_x = from_y + self.linear(context, context_weight)
        from_h = self.linear(h, self.decoder.weight_hh_l0, self.decoder.bias_hh_l0)
        now = gates(self.config.cell, from_x.float(), from_h.float())
        if self.config.cell == "lstm":
            c = now["f"] * state[1] + now["i"] * now["g"]
            state = torch.stack([now["o"] * c.tanh(), c])
        else:
            state = torch.lerp(now["n"], h, now["z"])[None]  # (1 - z) * n + z * h
        return Advanced(state, now, context, attended)

    def embed(self, tokens: Tensor) -> Tensor:
        """Written tokens (...) -> what the decoder reads of them, (..., N).

        After a copied word it reads the end mark, which nothing else is ever read after: the
        row of `<unk>` is then the output's alone.
        """
        return self.target_embedding(tokens.masked_fill(tokens == UNKNOWN, END))

    def token_part(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Embedded tokens (..., N) -> what they add to the decoder's gates (..., G * D), and the
        weight (G * D, C) of the rest of the input, the context."""
        N = self.config.embedding_size
        of_token, of_context = self.decoder.weight_ih_l0.tensor_split([N], dim=1)
        from_y = self.linear(y, of_token, self.decoder.bias_ih_l0)
        return from_y, of_context.to(from_y.dtype)  # once: autocast would cast it at every step

    def logits(self, h: Tensor, context: Tensor, y: Tensor) -> Tensor:
        """(..., D), (..., C), (..., N) -> (..., target_size)."""
        read = torch.cat([h, context.to(h.dtype), y.to(h.dtype)], dim=-1)
        merged = torch.tanh(self.linear(read, self.readout.weight, self.readout.bias))
        return self.linear(self.drop(merged), self.target_embedding.weight, self.output_bias)

    def forward(self, source: Tensor, lengths: Tensor | None, target: Tensor) -> Tensor:
        """Teacher forcing: source (S, B), lengths (B,) or None, target (T, B) beginning with
        `<s>` -> logits (T, B, target_size) of the token after each."""
        memory, state = self.read(source, lengths)
        y = self.drop(self.embed(target))  # (T, B, N)
        hidden, contexts = [], []
        from_tokens, context_weight = self.token_part(y)
        for from_y in from_tokens.unbind():
            step = self.advance(from_y, state, memory, context_weight)
            state = step.state
            hidden.append(state[0])
            contexts.append(step.context)
        return self.logits(torch.stack(hidden), torch.stack(contexts), y)

    @torch.no_grad()
    def initialize(self, generator: torch.Generator, gain: float = 1.0) -> "Seq2Seq":
        """Seeded start: orthogonal recurrent blocks, Xavier inputs times a gain, zero biases, an
        open forget gate, embeddings and the score vector small."""
        for name, parameter in self.named_parameters():
            if "weight_hh" in name:
                for block in parameter.split(parameter.shape[1]):
                    nn.init.orthogonal_(block, generator=generator)
            elif "embedding" in name:
                std = self.config.embedding_size**-0.5  # its rows are the output's weights too
                nn.init.normal_(parameter, std=std, generator=generator)
            elif name == "attention.v":
                nn.init.normal_(parameter, std=len(parameter) ** -0.5, generator=generator)
            elif parameter.dim() == 2:
                nn.init.xavier_uniform_(
                    parameter, gain if "weight_ih" in name else 1.0, generator=generator
                )
            else:
                nn.init.zeros_(parameter)
                if self.config.cell == "lstm" and "bias_ih" in name:
                    H = len(parameter) // 4
                    parameter[H : 2 * H] = 1.0
        return self
