"""Writing with the decoder of a transformer: one token a step, keys and values kept.

The loop is that of all writers (`writing`); a path of the search has its rows of the cache. Every
step reads one token, of a prefix too, so a text that was written is written again bit by bit from
any part of it. Attention lies in many heads and layers: what a step tells as its attention is the
mean over the heads of the last layer's attention across.
"""

from collections.abc import Collection, Iterator, Sequence

import torch
from torch import Tensor

from models.beam import Beam, Hypothesis, search
from models.decoder import BEGIN, END
from models.transformer import Cache
from models.transformer_rows import Rows
from models.transformer_seq2seq import TransformerSeq2Seq
from models.writing import CANDIDATES, End, Step, Text, write_with


def translate(
    network: TransformerSeq2Seq,
    source: Sequence[int],
    text: Text,
    *,
    beam_size: int,
    length_penalty: float,
    limit: int,
    prefix: Sequence[int],
    points: Collection[str],
) -> Iterator[Beam | Step | End]:
    """Read a source and write: the steps of the search, of the text it found, and its end.

    `limit` tokens at most, the prefix counted, and no more than the context holds; `points` are the
    names of the decoder's points that a step shows.
    """
    yield from write_with(
        _Writing(network, source, points),
        text,
        beam_size=beam_size,
        length_penalty=length_penalty,
        limit=min(limit, network.config.context),
        prefix=prefix,
    )


class _Writing:
    """The decoder in the middle of a text; see `writing.Writing`."""

    @torch.no_grad()
    def __init__(self, network: TransformerSeq2Seq, source: Sequence[int], points: Collection[str]):
        self.network, self.points = network, frozenset(points)
        self.memory = network.read(self._tensor([source]))  # (1, S, D)
        last = network.config.decoder_layers - 1
        self._told = f"decoder.blocks.{last}.cross.attention"
        self._rows = Rows(network.decoder, self.points | {self._told}, network.lens)
        self._cache, self._last = Cache(), BEGIN
        self.total = 0.0  # log probability of the tokens written so far

    def _tensor(self, numbers) -> Tensor:
        return torch.tensor(numbers, device=self.network.output_bias.device)

    def _advance(self, cache: Cache, tokens: Tensor, **options) -> Tensor:
        """Read the last token of each path (B,) -> log probabilities (B, V) of the next."""
        tokens = tokens.to(self.memory.device)[:, None]  # (B, 1)
        logits = self.network.write(self.memory, tokens, cache=cache, **options)[:, -1]
        log_p = logits.log_softmax(-1).cpu()
        log_p[:, list(self.network.never_written)] = -torch.inf
        return log_p

    @torch.no_grad()
    def search(
        self, prefix: Sequence[int], width: int, length_penalty: float, limit: int
    ) -> Iterator[Beam | list[Hypothesis]]:
        """Beam search behind a prefix."""
        cache, total, last = Cache(), 0.0, BEGIN
        for token in prefix:
            total += self._advance(cache, torch.tensor([last]))[0, token].item()
            last = token

        def step(index: int, cache: Cache, tokens: Tensor) -> tuple[Tensor, Cache]:
            return self._advance(cache, tokens), cache

        yield from search(
            step,
            lambda cache, rows: cache.take(rows.to(self.memory.device)),
            cache,
            last,
            end=END,
            width=width,
            limit=limit,
            length_penalty=length_penalty,
            prefix=tuple(prefix),
            log_probability=total,
        )

    @torch.no_grad()
    def write(self, index: int, choice: int | None, given: bool) -> Step:
        """Write one token, the likeliest or `choice`."""
        last = torch.tensor([self._last])
        log_p = self._advance(self._cache, last, record=self._rows.record)[0]  # (V,)
        probabilities = log_p.exp()
        best = probabilities.topk(min(CANDIDATES, len(probabilities)))
        top = list(zip(best.indices.tolist(), best.values.tolist(), strict=True))
        token = top[0][0] if choice is None else choice
        self._last = token
        self.total += log_p[token].item()  # a probability may be too small for a float32
        row = self._rows.row(0, index)
        attention = row[self._told].mean(0)  # (H, S) -> (S,)
        shown = {name: value for name, value in row.items() if name in self.points}
        probability = float(probabilities[token])
        return Step(index, token, probability, top, attention, None, given, shown)
