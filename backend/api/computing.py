"""Running a network's work on a thread, also where the GPU has no memory left for it.

What is remembered on the GPU goes first; then the network moves to the CPU for good, where it is
slower. The answer says so in a header, and the pages in a line.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from backend.api.streams import client_of
from backend.errors import Unavailable
from backend.observing import notice

ON_CPU = "on_cpu"  # the notice that a network has moved


def turn(request: Request) -> AbstractAsyncContextManager[None]:
    """A place to work, when it is the turn of whoever asks."""
    return request.app.state.tracing.place(client_of(request))


async def compute(request: Request, work: Callable, entry, *arguments) -> Any:
    """`work(entry, *arguments)` on a thread, anew with more room, and at last on the CPU.

    `work` takes its runner from the entry. Raises what it raises, and `Unavailable` where the CPU
    has no memory either.
    """
    state = request.app.state
    for make_room in (_forget, _move, None):
        found, full = await run_in_threadpool(_attempt, work, entry, *arguments)
        if not full:
            return found
        if make_room is None or entry.device == "cpu":
            break
        await make_room(request, state, entry)
    raise Unavailable(
        "There is no memory left for this.",
        "Ask for a shorter text or fewer points, or try again in a moment.",
        "no_memory",
    )


def _attempt(work: Callable, entry, *arguments) -> tuple[Any, bool]:
    """What `work` returns, or that there is no memory for it; its frames are gone by then, and
    with them the tensors that they held."""
    from backend.engine.memory import is_full

    try:
        return work(entry, *arguments), False
    except (RuntimeError, MemoryError) as error:
        if not is_full(error):
            raise
        return None, True


async def _forget(request: Request, state, entry) -> None:
    state.readings.clear()
    await run_in_threadpool(state.catalog.release)


async def _move(request: Request, state, entry) -> None:
    state.readings.clear()
    await state.catalog.move_to_cpu(entry)
    notice(request.scope, ON_CPU)
