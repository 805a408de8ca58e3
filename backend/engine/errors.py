"""What a generation can end with, other than its end.

    EngineError             code and message; raised by the stream's iterator, or by submit
    +-- TooLarge            it would capture more than the budget; `steps` says what would fit
    +-- Full                no place and no place in the queue; `retry_after` in seconds
        +-- TooMany         this client has enough under way

Codes that an iterator may raise: `non_finite`, `row_failed`, `model_failed`, `slow_reader`,
`time_limit`, `shutting_down`, `no_memory`.
"""


class EngineError(Exception):
    """A generation that cannot go on: a stable `code` and a sentence for people."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code, self.message = code, message


class TooLarge(EngineError):
    """More captured bytes than one stream may have; `steps` of these points would fit."""

    def __init__(self, message: str, steps: int):
        super().__init__("too_large", message)
        self.steps = steps


class Full(EngineError):
    """Every place is taken; try again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float, code: str = "full"):
        super().__init__(code, message)
        self.retry_after = retry_after


class TooMany(Full):
    """This client has as many streams under way as one client may."""

    def __init__(self, message: str, retry_after: float):
        super().__init__(message, retry_after, "too_many")
