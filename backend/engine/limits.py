"""Every bound of the engine, once, with its unit. Enforced in `admission` and `rows`."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """What the engine allows. Raises `ValueError` for a bound that would let nothing run."""

    max_active: int = 128  # streams of one model, or of all that take turns, that run at once
    max_queued: int = 128  # streams that wait for such a place
    max_per_client: int = 64  # streams one client may have under way, running or waiting
    queue_steps: int = 64  # steps a stream holds for its reader before its row pauses
    flush_seconds: float = 0.004  # between two wake-ups of the readers, while there is work
    reader_deadline_seconds: float = 30.0  # how long a paused row waits for its reader
    max_seconds: float = 300.0  # how long one stream may run, counted from its first step
    max_state_bytes: int = 512 << 20  # captured numbers of one stream, from start to end
    max_held_bytes: int = 1 << 30  # captured numbers that wait unread, all streams together

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name == "max_queued" else 1
            if isinstance(field.default, int) and value < least:
                raise ValueError(f"{field.name} is {value}, expected at least {least}")
            if value < 0:
                raise ValueError(f"{field.name} is {value}, expected no less than 0")
