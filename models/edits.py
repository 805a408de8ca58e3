"""What is changed in a pass of a transformer: heads, looks, positions, the order of the text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


class BadEdits(ValueError):
    """A change to a pass that cannot be made, and what would be right."""


@dataclass(frozen=True)
class Edits:
    """What is changed in a pass."""

    heads_off: frozenset[str] = frozenset()  # `blocks.2.5`: head 5 of the attention `blocks.2`
    # Rectangles (first query, after the last, first key, after the last) nobody may look at.
    blocked: tuple[tuple[int, int, int, int], ...] = ()
    positions: bool = True  # False: tokens have no position
    order: tuple[int, ...] = ()  # the tokens are read in this order; (): as they stand

    def off(self, heads: Mapping[str, int]) -> dict[str, frozenset[int]]:
        """Heads that are off by the name of their attention, given how many heads each has."""
        found: dict[str, set[int]] = {}
        for name in self.heads_off:
            attention, _, number = name.rpartition(".")
            if attention not in heads:
                raise BadEdits(f"heads_off: there is no attention {attention!r}; there are: "
                               f"{', '.join(heads)}")  # fmt: skip
            if not number.isdecimal() or int(number) >= heads[attention]:
                raise BadEdits(
                    f"heads_off: {attention} has the heads 0 to {heads[attention] - 1}, "
                    f"not {number!r}"
                )
            found.setdefault(attention, set()).add(int(number))
        return {name: frozenset(numbers) for name, numbers in found.items()}

    def allowed(self, queries: int, keys: int, device=None) -> Tensor | None:
        """Where queries may look, (queries, keys); None: everywhere."""
        if not self.blocked:
            return None
        allowed = torch.ones(queries, keys, dtype=torch.bool, device=device)
        for first, stop, left, right in self.blocked:
            if not (0 <= first < stop <= queries and 0 <= left < right <= keys):
                raise BadEdits(
                    f"blocked: [{first}, {stop}, {left}, {right}] is no rectangle in {queries} "
                    f"queries and {keys} keys"
                )
            allowed[first:stop, left:right] = False
        return allowed

    def ordered(self, ids: Sequence[int]) -> list[int]:
        """The tokens in the order they are read."""
        if not self.order:
            return list(ids)
        if sorted(self.order) != list(range(len(ids))):
            raise BadEdits(f"order must hold each of 0 to {len(ids) - 1} once")
        return [ids[k] for k in self.order]


NOTHING = Edits()
