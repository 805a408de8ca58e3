"""Checkpoints of the transformer family at work: they read a text and keep what can be seen.

The three kinds differ in what they read with (characters, pieces, two vocabularies) and in what
they can do; all of them answer with a `Reading`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.decoder import BEGIN, END
from models.edits import NOTHING, Edits
from models.reading import Heard, Reading, points_of
from models.transformer import Transformer


class TooLong(ValueError):
    """A text with more tokens than the network's context."""

    def __init__(self, found: int, limit: int):
        self.found, self.limit = found, limit
        super().__init__(f"{found} tokens, at most {limit} can be read")


def check_length(ids: Sequence[int], limit: int) -> None:
    """Raise `TooLong`."""
    if len(ids) > limit:
        raise TooLong(len(ids), limit)


def heads_of(*stacks: Transformer) -> dict[str, int]:
    """How many heads each attention has, by its name."""
    found = {}
    for stack in stacks:
        for layer in range(stack.config.num_layers):
            name = f"{stack.prefix}blocks.{layer}"
            found[name] = stack.config.num_heads
            if stack.config.cross:
                found[f"{name}.cross"] = stack.config.num_heads
    return found


def positions_of(edits: Edits, count: int, device) -> Tensor | None:
    """What `Transformer.forward` takes: nothing, or -1 for every token that has no position."""
    return None if edits.positions else torch.full((count,), -1, device=device)


def mask_of(stack: Transformer, count: int, allowed: Tensor | None, device) -> Tensor | None:
    """Where the queries of a stack look among its own tokens, (T, T); None: everywhere."""
    if not stack.config.causal:
        return allowed
    mask = torch.ones(count, count, dtype=torch.bool, device=device).tril()
    return mask if allowed is None else mask & allowed


def read_stack(stack: Transformer, ids: Sequence[int], edits: Edits = NOTHING) -> Reading:
    """Read tokens with one stack. Raises `TooLong` and `BadEdits`."""
    check_length(ids, stack.config.context)
    device = stack.token_embedding.weight.device
    T = len(ids)
    tokens = torch.tensor([edits.ordered(ids)], device=device)  # (1, T)
    positions, allowed = positions_of(edits, T, device), edits.allowed(T, T, device)
    options = {
        "positions": positions,
        "allowed": allowed,
        "heads_off": edits.off(heads_of(stack)),
    }
    lens = getattr(stack, "lens", None)
    heard = Heard(stack, positions, mask_of(stack, T, allowed, device), lens=lens)
    return Reading(
        lambda record: stack(tokens, record=record, **options),
        [heard],
        points_of(stack, lens),
        getattr(stack, "unembed", None),
    )


def read_pair(
    network, source: Sequence[int], target: Sequence[int], edits: Edits = NOTHING
) -> Reading:
    """Read a source and what was written of it. Raises `TooLong` and `BadEdits`.

    Row i of the decoder is the step that writes token i of `target`; where that does not end with
    `</s>`, one more row is the step after it. `order` is that of the source, and `blocked` what
    the decoder may not look at in it.
    """
    limit = network.config.context
    inputs = [BEGIN, *(target[:-1] if target and target[-1] == END else target)]
    check_length(source, limit)
    check_length(inputs, limit)
    device = network.output_bias.device
    S, T = len(source), len(inputs)
    tokens = torch.tensor([edits.ordered(source)], device=device)  # (1, S)
    written = torch.tensor([inputs], device=device)  # (1, T)
    off = edits.off(heads_of(network.encoder, network.decoder))
    across = edits.allowed(T, S, device)
    places = [positions_of(edits, count, device) for count in (S, T)]
    seen = None if across is None else across[None, None]  # (1, 1, T, S)

    def run(record) -> Tensor:
        memory = network.encoder(tokens, positions=places[0], record=record, heads_off=off)
        return network.decoder(
            written, memory=memory, memory_mask=seen, positions=places[1], record=record,
            heads_off=off,
        )  # fmt: skip

    heard = [
        Heard(network.encoder, places[0], None),
        Heard(network.decoder, places[1], mask_of(network.decoder, T, None, device), across,
              network.lens),
    ]  # fmt: skip
    points = [*points_of(network.encoder), *points_of(network.decoder, network.lens)]
    return Reading(run, heard, points, network.unembed)
