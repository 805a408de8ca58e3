"""Requests made from the API's own description, and what the answers have wrong.

    python -m tests.backend.probing [--examples 300] [--only generate] [--seed 0]

schemathesis draws requests that the description permits and requests that it forbids, and holds
each answer against it: a status and a type that are described, a body of that form, no defect. The
names in addresses and the letters of texts are mostly those of the toys that are served, so that
most requests get past the first check.
"""

import argparse
import io
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.backend import everything
from tests.backend.serving import Live, live

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SLOW = {"/api/timings": 1, "/api/checkpoints": 2}  # a second each: so many at most in a short run
WORDS = {"type": "string", "pattern": "^[a-d ]{1,12}$"}  # letters that every toy reads
FEW = {"type": "integer", "minimum": 1, "maximum": 8}
NARROWER = {  # what the description cannot know: what these networks read, and the server's limits
    "text": WORDS,
    "prefix": WORDS,
    "question": WORDS,
    "points": {"type": "array", "items": {"type": "string"}, "maxItems": 0},
    "max_new_tokens": FEW,
    "steps": FEW,
}
SHORT = 20  # examples an operation up to which a run is a short one


def _picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(stream, kind)
    return stream.getvalue()


for kind in ("png", "jpeg", "webp", "gif", "bmp"):
    pictures = st.sampled_from([_picture(kind), _picture("png"), b"", b"GIF89a"])
    schemathesis.openapi.media_type(f"image/{kind}", pictures)


@dataclass
class Probed:
    """What became of the requests of one operation."""

    label: str
    statuses: Counter = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)  # what is wrong -> the first request
    seconds: float = 0.0


def known(spec: dict, client: httpx2.Client) -> dict:
    """The description with the names that this server has, and texts of letters that it reads."""
    checkpoints = client.get("/api/checkpoints").json()["checkpoints"]
    recipes = [one["name"] for one in client.get("/api/training").json()["recipes"]]
    lessons = client.get("/api/lessons").json()["lessons"]
    exercises = [id for one in lessons for id in one["exercises"]]
    every = [one["id"] for one in checkpoints]
    for path, methods in spec["paths"].items():
        task = path.rpartition("/")[2]
        able = [one["id"] for one in checkpoints if task in one["tasks"]]
        names = {
            "id": exercises if "exercises" in path else able or every,
            "recipe": recipes,
            "slug": [one["slug"] for one in lessons],
        }
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                name = parameter["name"]
                if parameter["in"] == "path" and name in names:
                    parameter["schema"] = {"type": "string", "enum": names[name]}
                elif name in NARROWER and name != "prefix":  # in a query, numbers of tokens
                    parameter |= {"schema": NARROWER[name], "required": True}
    for name, schema in spec["components"]["schemas"].items():
        if name.endswith("Request"):
            fields = schema["properties"]
            narrower = {k: v for k, v in NARROWER.items() if k in fields and _alike(fields[k], v)}
            fields |= narrower
            schema["required"] = sorted({*schema.get("required", ()), *narrower})
    return spec


def _alike(schema: dict, narrower: dict) -> bool:
    """Whether a field may hold what a narrower one holds: a prefix is a text, or token numbers."""
    kinds = [one.get("type") for one in schema.get("anyOf", (schema,))]
    return narrower["type"] in kinds


def probe(server: Live, examples: int, only: str = "", start: int = 0) -> list[Probed]:
    """Ask every operation so often; what came of it."""
    spec = known(server.client.get("/openapi.json").json(), server.client)
    schema = schemathesis.openapi.from_dict(spec)
    schema.config.update(base_url=str(server.client.base_url))
    found = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if only in operation.label:
            count = examples
            if examples <= SHORT and operation.path in SLOW:
                count = min(examples, SLOW[operation.path])
            found.append(_probe(operation, count, start))
    return found


def _probe(operation, examples: int, start: int) -> Probed:
    probed = Probed(operation.label)
    began = time.perf_counter()

    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy())
    def ask(case) -> None:
        answer = case.call(timeout=60)
        probed.statuses[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for fault in group.exceptions:
                said = f"{type(fault).__name__}: {str(fault)[:300]}"
                probed.faults.setdefault(said, case.as_curl_command()[:500])

    ask()
    probed.seconds = time.perf_counter() - began
    return probed


def main() -> None:
    """A longer run, told an operation a line; exit status 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=300, help="requests an operation")
    parser.add_argument("--only", default="", help="operations whose name holds this")
    parser.add_argument("--seed", type=int, help="of the draw; another each time without it")
    options = parser.parse_args()
    start = random.randrange(1 << 32) if options.seed is None else options.seed
    print(f"seed {start}")
    with (
        tempfile.TemporaryDirectory() as temporary,
        live(everything.served(Path(temporary))) as server,
    ):
        found = probe(server, options.examples, options.only, start)
    for one in found:
        statuses = ", ".join(
            f"{count} x {status}" for status, count in sorted(one.statuses.items())
        )
        print(f"{one.label:45} {one.seconds:6.1f} s  {statuses}")
        for fault, request in one.faults.items():
            print(f"    {fault}\n    {request}")
    faults = sum(len(one.faults) for one in found)
    print(f"{sum(sum(one.statuses.values()) for one in found)} requests, {faults} faults")
    raise SystemExit(faults > 0)


if __name__ == "__main__":
    main()
