"""Steps as server-sent events, written as bytes: an event a step, many events a write.

Everything that does not change from step to step (names, axes, token texts) is turned into JSON
once, so that a step costs little more than the base64 of its numbers.
"""

import json
from base64 import b64encode
from collections.abc import Iterable


def event(name: str, data: dict) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


class StepWriter:
    """Writes the steps of one generation."""

    def __init__(self, symbols: list[str], points: list):
        self.tokens = [json.dumps(symbol, ensure_ascii=False) for symbol in symbols]
        self.points = [
            (
                p.name,
                f"{json.dumps(p.name)}:"
                f'{{"axes":{json.dumps([a for a in p.axes if a != "time"])},'
                f'"range":{json.dumps(p.range)},"data":{{"dtype":"f4",'
                f'"shape":"{", ".join(str(n) for n in p.shape[1:])}","bdata":"',
            )
            for p in points
        ]

    def candidates(self, top: Iterable[tuple[int, float, float]]) -> str:
        """The most likely tokens: text, number, probability, probability in the draw."""
        return ",".join(
            f'{{"token":{self.tokens[k]},"token_id":{k},"probability":{p:.7g},"drawn":{d:.7g}}}'
            for k, p, d in top
        )

    def step(self, step) -> bytes:
        """One `step` event."""
        captured = step.capture
        points = ",".join(
            f'{head}{b64encode(captured[name]).decode("ascii")}"}}}}' for name, head in self.points
        )
        probability = "null" if step.probability is None else f"{step.probability:.7g}"
        return (
            f'event: step\ndata: {{"index":{step.index},"token":{self.tokens[step.token_id]},'
            f'"token_id":{step.token_id},"prefix":{"true" if step.prefix else "false"},'
            f'"probability":{probability},"top":[{self.candidates(step.top)}],'
            f'"points":{{{points}}}}}\n\n'
        ).encode()
