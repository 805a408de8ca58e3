"""Which numbers of a captured row somebody wants, and their copy.

A step captures one row of float32 numbers, the points side by side. A stream keeps the points it
asked for: neighbours are copied in one piece, the others not at all. `logits`, which a step
returns beside the row, is copied after the others where it is asked for by name.
"""

from collections.abc import Collection, Sequence

import numpy as np

LOGITS = "logits"


class Columns:
    """The points that one stream copies out of each step.

    `points` None: all of `source`. `layout` says where each of them lies in the copy: (name,
    start, stop), in the model's order. Raises `ValueError`, naming the points a model does not
    have.
    """

    __slots__ = ("layout", "width", "_pieces", "_logits")

    def __init__(
        self,
        source: Sequence[tuple[str, int, int]],
        vocab_size: int,
        points: Collection[str] | None,
    ):
        names = [name for name, _, _ in source]
        known = names if LOGITS in names else [*names, LOGITS]
        unknown = [] if points is None else [name for name in points if name not in known]
        if unknown:
            raise ValueError(f"unknown points: {', '.join(unknown)}; known: {', '.join(known)}")
        layout: list[tuple[str, int, int]] = []
        pieces: list[tuple[int, int]] = []  # runs of neighbouring columns of the captured row
        width = 0
        for name, start, stop in source:
            if points is not None and name not in points:
                continue
            layout.append((name, width, width + stop - start))
            width += stop - start
            if pieces and pieces[-1][1] == start:
                pieces[-1] = (pieces[-1][0], stop)
            else:
                pieces.append((start, stop))
        self._logits = LOGITS not in names and points is not None and LOGITS in points
        if self._logits:
            layout.append((LOGITS, width, width + vocab_size))
            width += vocab_size
        self.layout = tuple(layout)
        self.width = width
        self._pieces = tuple(pieces)

    @property
    def bytes(self) -> int:
        """Bytes that one step keeps."""
        return 4 * self.width

    def take(self, captured: np.ndarray, logits: np.ndarray, b: int) -> np.ndarray | None:
        """Copy what is wanted of row b of (B, width) and (B, V); None if that is nothing."""
        pieces = self._pieces
        if not self._logits:
            if len(pieces) == 1:
                start, stop = pieces[0]
                return captured[b, start:stop].copy()
            if not pieces:
                return None
        row = np.empty(self.width, np.float32)
        filled = 0
        for start, stop in pieces:
            end = filled + stop - start
            row[filled:end] = captured[b, start:stop]
            filled = end
        if self._logits:
            row[filled:] = logits[b]
        return row
