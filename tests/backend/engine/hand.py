"""A batch of one model that tests step by hand: everything is counted in steps, not in seconds."""

from backend.engine import Limits
from backend.engine.batch import Batch
from backend.engine.columns import Columns
from backend.engine.stream import Stream
from tests.backend.engine.toys import Script, job


class NoMail:
    def post(self, stream):
        pass


class Hand:
    """A batch and the streams in it, stepped by hand."""

    def __init__(self, runner=None, places=8, capacity=100, **limits):
        self.runner = runner or Script(places)
        self.capacity = capacity
        self.left = []
        self.batch = Batch(
            self.runner, places, Limits(**limits), lambda stream, _: self.left.append(stream)
        )
        self.now = 0.0

    def join(self, capacity=None, client="", **settings):
        wanted = job(self.runner, **settings)
        columns = Columns(self.runner.stepper.layout, self.runner.vocab_size, wanted.points)
        capacity = capacity or self.capacity
        stream = Stream(
            wanted, client, columns, capacity, NoMail(), lambda stream: None, lambda: None
        )
        self.batch.join(stream)
        return stream

    def tick(self, times=1):
        return [self.batch.tick(self.now) for _ in range(times)][-1]

    def finish(self):
        while self.tick():
            pass


def tokens(stream):
    return [step.token_id for step in stream.take()]
