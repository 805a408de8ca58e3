"""Generation by networks that write by themselves, in turns with others: transformers."""

from collections.abc import AsyncIterator, Iterator, Sequence
from functools import lru_cache
from math import prod

from backend.api.events import RowWriter, event
from backend.errors import Invalid


def check_heads(runner, heads_off: Sequence[str]) -> None:
    """Refuse heads that are not there."""
    from models.edits import BadEdits

    try:
        runner.off(heads_off)
    except BadEdits as error:
        hint = "A head is the name of its attention and its number, such as blocks.0.3."
        raise Invalid(f"{error}.", hint, "bad_edits") from None


def job(entry, body, prefix: Sequence[int], points: Sequence, seed: int, context: int):
    """What a request asks of the engine; `body` is a `GenerateRequest`, and the text no longer than
    `context` tokens."""
    from backend.engine import EngineError, Turn
    from backend.engine.memory import is_full

    def begin() -> Iterator:
        try:
            yield from entry.runner.write(
                prefix,
                body.max_new_tokens,
                [point.name for point in points],
                body.heads_off,
                temperature=body.temperature,
                top_k=body.top_k,
                top_p=body.top_p,
                seed=seed,
                start=body.start,
                context=context,
            )
        except FloatingPointError as error:
            message = f"The model gave a number that is not finite: {error}."
            raise EngineError("non_finite", message) from None
        except (RuntimeError, MemoryError) as error:
            entry.full = entry.device != "cpu" and is_full(error)  # the next one finds more room
            raise

    stop = min(len(prefix) + body.max_new_tokens, context)
    each = _numbers(points, (body.start + 1 + stop) // 2 + 1)
    return Turn(entry.id, begin, stop - body.start, 4 * each)


def _numbers(points: Sequence, keys: int) -> int:
    """Numbers of a step that looks at so many keys."""
    sizes = dict.fromkeys(("time", "query"), 1)
    total = 0
    for p in points:
        keys_seen = keys if "query" in p.axes else 1  # else of the token alone
        known = sizes | {"key": keys_seen}
        total += prod(known.get(a, n) for a, n in zip(p.axes, p.shape, strict=True))
    return total


@lru_cache(16)
def _writer(symbols: tuple[str, ...], points: tuple) -> RowWriter:
    from models.transformer_rows import step_axis

    return RowWriter(
        symbols,
        [(p.name, [a for a in p.axes if a != step_axis(p)], p.range) for p in points],
    )


async def events(
    stream, entry, body, prefix: Sequence[int], points, seed: int
) -> AsyncIterator[bytes]:
    """`start`, a `step` a token, `done` with the text: as it was typed, and what was written."""
    from backend.engine import End
    from models.transformer_writing import Step

    reads = entry.runner.reads
    writer = _writer(tuple(reads.symbols), tuple(points))
    token_ids, before = list(prefix), len(reads.decode(prefix))
    yield event("start", {"checkpoint": entry.id, "seed": seed, "tokens": len(prefix)})
    async for items in stream:
        if isinstance(items, End):
            continue  # of the turns; the text has had its own
        steps = [item for item in items if isinstance(item, Step)]
        token_ids += [step.token_id for step in steps if not step.prefix]
        yield writer.steps(steps)
        for end in items[len(steps) :]:
            yield event(
                "done",
                {
                    "text": body.prefix + reads.decode(token_ids)[before:],
                    "seed": seed,
                    "tokens": len(token_ids) - len(prefix),
                    "next": [
                        {
                            "token": reads.symbols[k],
                            "token_id": k,
                            "probability": float(f"{p:.7g}"),
                            "drawn": float(f"{d:.7g}"),
                        }
                        for k, p, d in end.next
                    ],
                    "stopped": end.stopped,
                },
            )
