"""What the routes that stream have in common: into the engine, and out as server-sent events."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from fastapi import Request
from fastapi.responses import StreamingResponse

from backend.api.events import event
from backend.errors import Busy, Error, TooLarge, Unavailable
from backend.joining import address_of
from backend.observing import outcome


def client_of(request: Request) -> str:
    """Whom a request is counted against: the student, where there is a join code, else the
    address that it comes from."""
    return getattr(request.state, "student", "") or address_of(request.scope)


async def submit(request: Request, job):
    """The stream of a job, or an error that says why the engine does not take it."""
    engine = await request.app.state.ready()
    with refusals():
        return engine.submit(job, client_of(request))


@contextmanager
def refusals() -> Iterator[None]:
    """What the engine does not take, as the error that says why."""
    from backend.engine import EngineError, Full
    from backend.engine import TooLarge as Capture

    try:
        yield
    except Full as error:
        raise Busy(
            "All places are taken.", error.retry_after, "Try again after the seconds told."
        ) from None
    except Capture as error:
        hint = "Ask for fewer points or fewer characters."
        raise TooLarge(error.message, hint, steps=error.steps) from None
    except EngineError as error:
        raise Unavailable(error.message, "Try again in a moment.", error.code) from None


class EventStream(StreamingResponse):
    """Events made from a stream of the engine, which is closed however the answer ends.

    What goes wrong after the answer has begun becomes an `error` event.
    """

    def __init__(self, stream, events: AsyncIterator[bytes]):
        self.stream = stream
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._told(events), 200, headers, "text/event-stream")
        self.code = ""  # of the error that it ended with

    async def __call__(self, scope, receive, send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Here and not in the generator: one that was never begun runs no `finally`.
            self.stream.close()
            if self.code:
                outcome(scope, self.code)

    async def _told(self, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        from backend.engine import EngineError

        try:
            async for part in events:
                yield part
        except EngineError as error:
            self.code = error.code
            yield event("error", Error(error.message, "", error.code).body())
        except Exception:
            self.code = "internal"
            yield event("error", Error("The server failed while it was writing.").body())
            raise


async def collect(request: Request, stream) -> list:
    """Everything that a stream yields, for an answer that is not streamed.

    What the stream ends with becomes an `Error`; so does a client that has gone meanwhile.
    """
    from backend.engine import End, EngineError

    found: list = []
    try:
        async for items in stream:
            if isinstance(items, End):
                break
            if await request.is_disconnected():
                raise Unavailable("The client has gone.", code="client_gone")  # read by nobody
            found += items
    except EngineError as error:
        passing = error.code in ("shutting_down", "time_limit")
        kind, hint = (Unavailable, "Try again in a moment.") if passing else (Error, "")
        raise kind(error.message, hint, error.code) from None
    finally:
        stream.close()
    return found
