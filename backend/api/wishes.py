"""What the routes that write a text token by token have in common: a request that has been found
good, as a job for the engine, and the refusals of what cannot be done."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from backend.api.events import event
from backend.api.streams import EventStream, collect, submit
from backend.api.telling import StepAxis, Teller
from backend.errors import Invalid


@dataclass(frozen=True)
class Wish:
    """A request that has been found good."""

    id: str
    points: list
    step_axis: StepAxis  # of the written tokens
    sizes: Callable[[Any], Mapping[str, int]]  # of a point's other axes that are as long as a text
    annotations: int  # that a step looks at
    length: int  # tokens written at most, the prefix counted
    look: Callable[[list[str]], dict]  # names -> the points that no token changes
    write: Callable[[list[str]], Iterator[Any]]  # names -> the steps, with these points

    def run(self) -> Iterator[Any]:
        """On the engine's thread: the points of what is read, then what the runner yields."""
        yield self.look([p.name for p in self.points if self.step_axis(p) is None])
        yield from self.write([p.name for p in self.points if self.step_axis(p) is not None])

    def job(self):
        """This wish for the engine."""
        from backend.engine import Turn

        once, each = 0, self.annotations  # numbers: of what is read; of a step, its weights told
        for p in self.points:
            step = self.step_axis(p)
            sizes = {**self.sizes(p), step: 1}
            numbers = prod(sizes.get(a, n) for a, n in zip(p.axes, p.shape, strict=True))
            if step is not None:
                each += numbers
            else:
                once += numbers
        return Turn(self.id, self.run, self.length, 4 * (each + -(-once // self.length)))


async def answer(request: Request, wish: Wish, teller: Teller, stream: bool) -> Any:
    """Run a wish: events as they come, or everything at once."""
    running = await submit(request, wish.job())
    if stream:
        return EventStream(running, _events(running, teller))
    return await run_in_threadpool(teller.whole, await collect(request, running))


async def _events(stream, teller: Teller) -> AsyncIterator[bytes]:
    from backend.engine import End

    async for items in stream:
        if not isinstance(items, End):
            yield b"".join([event(*teller.told(item)) for item in items])


# -- what cannot be done: each raises `Invalid`, naming what is wrong and what would be right ----


def check_new_tokens(asked: int, limit: int) -> None:
    """At most `limit` tokens are written."""
    if asked > limit:
        raise Invalid(
            f"max_new_tokens is {shown(asked)}, at most {limit} are written.",
            "Ask for fewer.",
            "too_many_tokens",
            limit=limit,
        )


def check_prefix(runner, prefix: Sequence[int], limit: int, field: str = "prefix") -> None:
    """The tokens of a prefix are tokens that can be written, the end mark the last if any."""
    if len(prefix) > limit:
        raise Invalid(
            f"{field} has {len(prefix)} tokens, at most {limit} are written.",
            f"Send a shorter {field}.",
            "too_many_tokens",
            limit=limit,
        )
    known, never = len(runner.target_tokens), runner.network.never_written
    end = runner.network.end
    for at, token in enumerate(prefix):
        if not 0 <= token < known or token in never:
            raise Invalid(
                f"{field}[{at}] is {shown(token)}, which is no token that can be written.",
                f"The tokens are 0 to {known - 1}, without {' and '.join(map(str, never))}.",
                f"bad_{field}",
                position=at,
            )
        if token == end and at < len(prefix) - 1:
            raise Invalid(
                f"{field}[{at}] is {token}, the end mark, and {len(prefix) - at - 1} follow it.",
                f"The end mark may only be the last token of a {field}.",
                f"bad_{field}",
                position=at,
            )


def check_force(
    runner, force: Sequence[Sequence[int]], steps: int, step: str, places: Mapping[str, int]
) -> None:
    """Each of `force` is a step and a place, [number of the step, one number a part of `places`].

    `step` and the keys of `places` are words for messages; its values are how many there are.
    """
    if force and not runner.attends:
        raise Invalid(
            "This network has no attention that could be forced.",
            "Send an empty force, or ask a checkpoint with attention.",
            "no_attention",
        )
    if force and not runner.forces:
        raise Invalid(
            "This network attends with many heads in many layers: there is no one place to force.",
            "Send an empty force, or ask a recurrent checkpoint with attention.",
            "no_force",
        )
    seen = set()
    for at, (number, *place) in enumerate(force):
        wrong = ""
        if not 0 <= number < steps:
            wrong = f"{step} {shown(number)} is not there, the steps are 0 to {steps - 1}"
        elif number in seen:
            wrong = f"{step} {number} is forced twice"
        for (name, size), value in zip(places.items(), place, strict=True):
            if not wrong and not 0 <= value < size:
                wrong = f"{name} {shown(value)} is not there, they are 0 to {size - 1}"
        if wrong:
            bounds = " and ".join(f"a {name} of 0 to {size - 1}" for name, size in places.items())
            parts = [name.rpartition(" ")[2] for name in places]
            raise Invalid(
                f"force[{at}]: {wrong}.",
                f"Choose a {step} of 0 to {steps - 1}, each once, and {bounds}.",
                "bad_force",
                step=number,
                **dict(zip(parts, place, strict=True)),
            )
        seen.add(number)


def shown(number: int) -> str:
    """A number of the client's in a message: it may have thousands of digits."""
    return str(number) if abs(number) < 1 << 53 else "a huge number"
