"""A recurrent decoder that looks at annotations: what translators and captioners have in common.

It writes token i from the token before it, its own state and a context:

    context_i = attention over the annotations with the query s_{i-1}       (`attention`)
    s_i       = cell([embedding(y_{i-1}); context_i], s_{i-1})
    p(y_i)    = softmax(E tanh(W_o [s_i; context_i; embedding(y_{i-1})]) + b)

Source: Bahdanau, Cho, Bengio 2015 (arXiv:1409.0473), with one tanh layer where they have a maxout,
and with E tied to the target embedding (Press and Wolf 2017). Without attention the context is
one vector, the same at every step, as in Cho et al. 2014 (arXiv:1406.1078).

`decoder` has the parameter names of `torch.nn.GRU` and `nn.LSTM`. It runs step by step, since its
input depends on its own state; the products with the tokens, which do not, are made for all steps
at once.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.attention import Attended, Attention, Look
from models.cells import gates

CELLS: dict[str, type[nn.RNNBase]] = {"gru": nn.GRU, "lstm": nn.LSTM}
UNKNOWN, BEGIN, END = 0, 1, 2  # numbers of <unk>, <s>, </s> among the tokens


@dataclass(frozen=True)
class Memory:
    """A source that has been read: what the decoder looks at."""

    annotations: Tensor  # (B, S, C)
    keys: Tensor | None  # (B, S, A), what queries are held against
    mask: Tensor | None  # (B, S), True where the source is real; None: everywhere
    fixed: Tensor | None  # (B, C), the one context of a network without attention

    def take(self, rows: Tensor) -> "Memory":
        """The memory of some rows, or of one row several times."""
        parts = (self.annotations, self.keys, self.mask, self.fixed)
        return Memory(*(part if part is None else part[rows] for part in parts))

    def first(self, count: int) -> "Memory":
        """The memory of the first rows, without a copy."""
        if count == len(self.annotations):
            return self
        parts = (self.annotations, self.keys, self.mask, self.fixed)
        return Memory(*(part if part is None else part[:count] for part in parts))


@dataclass(frozen=True)
class Advanced:
    """One step of the decoder."""

    state: Tensor  # (R, B, D): h, and c of an LSTM
    gates: dict[str, Tensor]  # by letter, (B, D) each
    context: Tensor  # (B, C)
    attended: Attended | None
    gate: Tensor | None  # (B, 1), the share of the attended context that was let in


@dataclass(frozen=True)
class Followed:
    """A text that was read with teacher forcing."""

    logits: Tensor  # (T, B, target_size), of the token after each; or of the real ones in a row
    weights: Tensor | None  # (T, B, S); None without attention
    chosen: Tensor | None  # (T, B), where hard attention looked


def pad_sequence(steps: list[Tensor], B: int) -> Tensor:
    """Steps (n, ...) of the first n of B rows -> (T, B, ...), zeros where there was no step."""
    whole = [F.pad(x, (0, 0) * (x.dim() - 1) + (0, B - len(x))) for x in steps]
    return torch.stack(whole)


class Decoder(nn.Module):
    """The parts of a network that write. A subclass reads a source and makes the `Memory`."""

    never_written: tuple[int, ...] = (BEGIN,)  # tokens that are no target in training
    end = END  # the token after which nothing is written

    def __init__(
        self,
        cell: str,
        attention: str,
        target_size: int,
        embedding_size: int,
        decoder_size: int,
        context_size: int,
        attention_size: int,
        dropout: float,
    ):
        super().__init__()
        N, D, C = embedding_size, decoder_size, context_size
        self.cell, self.token_width, self.dropout = cell, N, dropout
        self.linear = F.linear  # what makes the products of a step; `products` is faster for few
        self.target_embedding = nn.Embedding(target_size, N)
        self.attention = None
        if attention != "none":
            self.attention = Attention(attention, D, C, attention_size)
        self.decoder = CELLS[cell](N + C, D)
        self.readout = nn.Linear(D + C + N, N)
        self.output_bias = nn.Parameter(torch.zeros(target_size))

    def drop(self, x: Tensor) -> Tensor:
        """Dropout of (T, B, F) while training, with one mask for all steps of a row (Gal and
        Ghahramani 2016)."""
        p = self.dropout
        if not self.training or p == 0:
            return x
        keep = torch.empty_like(x[:1]).bernoulli_(1 - p).div_(1 - p)
        return x * keep

    def advance(
        self,
        from_y: Tensor,
        state: Tensor,
        memory: Memory,
        context_weight: Tensor,
        force: Tensor | None = None,
        look: Look | None = None,
    ) -> Advanced:
        """One step. `from_y` (B, G * D) and `context_weight` come from `token_part`,
        `state` is (R, B, D), `force` and `look` as in `Attention.forward`."""
        h, attended, gate = state[0], None, None
        if self.attention is None:
            context = memory.fixed
        else:
            attended = self.attention(h, memory.keys, memory.annotations, memory.mask, force, look)
            context, gate = attended.context, self.admission(h)
            if gate is not None:
                context = gate * context
        from_x = from_y + self.linear(context, context_weight)
        from_h = self.linear(h, self.decoder.weight_hh_l0, self.decoder.bias_hh_l0)
        now = gates(self.cell, from_x.float(), from_h.float())
        if self.cell == "lstm":
            c = now["f"] * state[1] + now["i"] * now["g"]
            state = torch.stack([now["o"] * c.tanh(), c])
        else:
            state = torch.lerp(now["n"], h, now["z"])[None]  # (1 - z) * n + z * h
        return Advanced(state, now, context, attended, gate)

    def admission(self, h: Tensor) -> Tensor | None:
        """The share (B, 1) of what is looked at that a step lets in, given the state before it
        (B, D); None: all of it."""
        return None

    def embed(self, tokens: Tensor) -> Tensor:
        """Written tokens (...) -> what the decoder reads of them, (..., N).

        After a copied word it reads the end mark, which nothing else is ever read after: the
        row of `<unk>` is then the output's alone.
        """
        return self.target_embedding(tokens.masked_fill(tokens == UNKNOWN, END))

    def token_part(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Embedded tokens (..., N) -> what they add to the decoder's gates (..., G * D), and the
        weight (G * D, C) of the rest of the input, the context."""
        N = self.token_width
        of_token, of_context = self.decoder.weight_ih_l0.tensor_split([N], dim=1)
        from_y = self.linear(y, of_token, self.decoder.bias_ih_l0)
        return from_y, of_context.to(from_y.dtype)  # once: autocast would cast it at every step

    def logits(self, h: Tensor, context: Tensor, y: Tensor) -> Tensor:
        """(..., D), (..., C), (..., N) -> (..., target_size)."""
        return self.score(self.merge(h, context, y))

    def merge(self, h: Tensor, context: Tensor, y: Tensor) -> Tensor:
        """(..., D), (..., C), (..., N) -> what the words are held against, (..., N)."""
        read = torch.cat([h, context.to(h.dtype), y.to(h.dtype)], dim=-1)
        return self.drop(torch.tanh(self.linear(read, self.readout.weight, self.readout.bias)))

    def score(self, merged: Tensor) -> Tensor:
        """(..., N) -> logits (..., target_size)."""
        return self.linear(merged, self.target_embedding.weight, self.output_bias)

    def follow(
        self,
        memory: Memory,
        state: Tensor,
        target: Tensor,
        look: Look | None = None,
        real: Tensor | None = None,
    ) -> Followed:
        """Teacher forcing with target (T, B), which begins with `<s>`; `look` as in `Attention`.

        `real` (T, B) tells padding apart in a batch whose longest row is its first, and so on: then
        no step is taken for padding, and logits come for what is real alone, (real.sum(), V).
        """
        y = self.drop(self.embed(target))  # (T, B, N)
        T, B, _ = y.shape
        counts = [B] * T if real is None else real.sum(1).tolist()
        hidden, contexts, looks = [], [], []
        from_tokens, context_weight = self.token_part(y)
        for from_y, count in zip(from_tokens.unbind(), counts, strict=True):
            step = self.advance(
                from_y[:count], state[:, :count], memory.first(count), context_weight, look=look
            )
            state = step.state
            hidden.append(state[0])
            contexts.append(step.context)
            looks.append(step.attended)
        h, context = pad_sequence(hidden, B), pad_sequence(contexts, B)
        merged = self.merge(h, context, y)
        logits = self.score(merged if real is None else merged[real])
        if self.attention is None:
            return Followed(logits, None, None)
        weights = pad_sequence([one.weights for one in looks], B)
        chosen = None if look is None else pad_sequence([one.chosen for one in looks], B)
        return Followed(logits, weights, chosen)

    @torch.no_grad()
    def initialize(self, generator: torch.Generator, gain: float = 1.0) -> "Decoder":
        """Seeded start: orthogonal recurrent blocks, Xavier inputs times a gain, zero biases, an
        open forget gate, embeddings and the score vector small."""
        for name, parameter in self.named_parameters():
            if "weight_hh" in name:
                for block in parameter.split(parameter.shape[1]):
                    nn.init.orthogonal_(block, generator=generator)
            elif "embedding" in name:
                std = self.token_width**-0.5  # its rows are the output's weights too
                nn.init.normal_(parameter, std=std, generator=generator)
            elif name == "attention.v":
                nn.init.normal_(parameter, std=len(parameter) ** -0.5, generator=generator)
            elif parameter.dim() == 2:
                nn.init.xavier_uniform_(
                    parameter, gain if "weight_ih" in name else 1.0, generator=generator
                )
            else:
                nn.init.zeros_(parameter)
                if self.cell == "lstm" and "bias_ih" in name:
                    H = len(parameter) // 4
                    parameter[H : 2 * H] = 1.0
        return self
