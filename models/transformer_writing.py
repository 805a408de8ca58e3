"""Writing on with a language model of the transformer family, a token a step.

Keys and values of what has been read are kept, so that a step reads one token. A prefix is read in
pieces of many tokens, which is several times faster and adds up in another order: its numbers are
those of single steps to 1e-5. The token at index t is drawn with `sampling.uniform(seed, t)`, so a
text that goes on from the first n tokens of another, with the same seed, draws what that one drew.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from models.choosing import Settings, choose
from models.transformer import Cache
from models.transformer_lm import TransformerLM
from models.transformer_rows import Rows

CHUNK = 32  # tokens of a prefix that are read in one pass
Candidate = tuple[int, float, float]  # token id, probability, probability it was drawn with


@dataclass(frozen=True, slots=True)
class Step:
    """One token and what the network held after reading it.

    `probability` and `top` belong to the distribution the token came from; there was none for the
    first token, which has None and [].
    """

    index: int
    token_id: int
    prefix: bool
    probability: float | None
    top: list[Candidate]  # the five likeliest
    points: dict[str, np.ndarray] = field(repr=False)


@dataclass(frozen=True, slots=True)
class End:
    """The text is written."""

    next: list[Candidate]  # the five likeliest tokens that would have come next
    stopped: str  # "length": as many tokens as were asked for; "context": no more can be read


@torch.no_grad()
def write(
    network: TransformerLM,
    prefix: Sequence[int],
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    points: Collection[str] = (),
    heads_off: Mapping[str, frozenset[int]] | None = None,
    start: int = 0,
    known: int | None = None,
    context: int | None = None,
) -> Iterator[Step | End]:
    """Read a prefix and write on: a `Step` a token, those before `start` left out, then an `End`.

    At most as many tokens as the `context` of the network, or a shorter one, holds, the prefix
    included. `points` are the names that a
    step shows; of the vocabulary only the first `known` tokens are drawn. Raises
    `FloatingPointError`, naming the token, where a logit is not finite.
    """
    known = known or network.config.vocab_size
    asked = len(prefix) + max_new_tokens
    length = min(asked, context or network.config.context)
    device = network.token_embedding.weight.device
    cache, rows = Cache(), Rows(network, points, network.lens)
    tokens, probability, top = list(prefix), None, []
    index = 0
    while index < length:
        count = min(CHUNK, len(tokens) - index)  # one, past the prefix
        read = torch.tensor([tokens[index : index + count]], device=device)
        stream = network(read, cache=cache, record=rows.record, heads_off=heads_off or {})[0]
        # Before `start` nobody is told what came next, which is costly to know.
        unseen = min(max(start - 1 - index, 0), count - 1)
        logits = network.unembed(stream[unseen:])[:, :known].float().cpu().numpy()
        n = count - unseen
        given = [*prefix[index + unseen + 1 : index + count + 1]]
        choice = choose(
            logits,
            Settings(
                np.full(n, temperature),
                np.full(n, top_k, np.int64),
                np.full(n, top_p),
                np.full(n, seed, np.uint64),
            ),
            np.arange(index + unseen + 1, index + count + 1),
            np.array(given + [-1] * (n - len(given)), np.int64),
        )
        for t, at in enumerate(range(index + unseen, index + count)):
            if not choice.sound[t]:
                raise FloatingPointError(f"a logit after token {at} is not finite")
            if at >= start:
                shown = rows.row(unseen + t, at)
                inside = at < len(prefix)
                yield Step(at, tokens[at], inside, probability, top, shown)
            probability = float(choice.probability[t])
            columns = (choice.ids[t].tolist(), choice.own[t].tolist(), choice.drawn[t].tolist())
            top = list(zip(*columns, strict=True))
        index += count
        if index >= len(prefix):
            tokens.append(int(choice.tokens[-1]))
    yield End(top, "length" if length == asked else "context")
