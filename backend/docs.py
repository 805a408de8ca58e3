"""The page of the API, made from the application's own OpenAPI description."""

import json
import re

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from backend.pages import MARKDOWN, reader_language, render, require_language

router = APIRouter(include_in_schema=False)
EXAMPLES = {  # a checkpoint or a recipe, and a body for it
    "/api/checkpoints/{id}/trace": (
        "shakespeare-lstm",
        {"text": "To be, or not", "points": ["rnn.1.c"]},
    ),
    "/api/checkpoints/{id}/units": (
        "shakespeare-lstm",
        {"text": "To be, or not\nTo be", "property": "line_position"},
    ),
    "/api/checkpoints/{id}/gradients": (
        "shakespeare-lstm",
        {"text": "To be, or not to be", "at": 17, "points": ["rnn.1.c"], "clip": 1.0, "chunk": 8},
    ),
    "/api/checkpoints/{id}/slices": (
        "shakespeare-gpt",
        {
            "text": "To be, or not",
            "slices": [
                {"point": "blocks.*.attention", "at": {"head": 0}},
                {"point": "blocks.*.lens", "top": 3},
            ],
        },
    ),
    "/api/checkpoints/{id}/generate": (
        "shakespeare-lstm",
        {"prefix": "To be, or ", "max_new_tokens": 40, "seed": 7},
    ),
    "/api/checkpoints/{id}/translate": (
        "translate-en-fr",
        {"text": "A dog runs on the beach.", "beam_size": 3, "points": [], "stream": True},
    ),
    "/api/checkpoints/{id}/classify": ("surnames", {"text": "Nakamura", "points": ["labels"]}),
    "/api/checkpoints/{id}/tag": ("tagger-en", {"text": "They can fish.", "points": []}),
    "/api/checkpoints/{id}/forecast": (
        "airline-gru",
        {"series": None, "at": 120, "steps": 24, "points": ["rnn.0.h"]},
    ),
    "/api/checkpoints/{id}/answers": (
        "import-0123456789ab",
        {"answers": {"vocabulary": ["\n", " ", "a", "b"]}, "title": "Mine"},
    ),
    "/api/training/{recipe}": ("airline-gru", {"parameters": {"window": 24, "epochs": 300}}),
}
UPLOADS = {  # a checkpoint, a query, and what curl sends
    "/api/checkpoints/{id}/caption": (
        "caption-soft",
        "beam_size=3&points=none&stream=true",
        "-H 'Content-Type: image/jpeg' --data-binary @photo.jpg",
    ),
    "/api/checkpoints/{id}/read": (
        "english-lines",
        "points=rnn.0.h",
        "-H 'Content-Type: image/png' --data-binary @line.png",
    ),
    "/api/checkpoints/{id}/answer": (
        "vqa-scenes",
        "points=none",
        "-F image=@scene.png -F 'question=what colour is the house?'",
    ),
}


def _type(schema: dict) -> str:
    """A schema in a few words: its type with its bounds."""
    if "anyOf" in schema:
        return " | ".join(_type(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"{_type(schema['items'])}[]"
    words = [schema.get("type", "object")]
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    words += [f"{sign} {schema[key]:g}" for key, sign in bounds.items() if key in schema]
    return " ".join(words)


def _prose(text: str) -> Markup:
    """A docstring's words, its names in the type of code."""
    return Markup(MARKDOWN.renderInline(text))


def _fields(operation: dict, schemas: dict) -> list[dict]:
    """What a request holds: the body or its fields, then the query, each name after a `?`."""
    fields = []
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        schema = body["schema"]
        schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
        required = schema.get("required", ())
        if "properties" not in schema:
            fields.append(_field("body", schema | {"type": kind}, True))
        for name, about in schema.get("properties", {}).items():
            fields.append(_field(name, about, name in required))
            fields += _inner(name, about, schemas)
    for one in operation.get("parameters", ()):
        if one["in"] == "query":
            schema = {"description": one.get("description", "")} | one["schema"]
            fields.append(_field(f"?{one['name']}", schema, one["required"]))
    return fields


def _inner(name: str, about: dict, schemas: dict) -> list[dict]:
    """The fields of a field: `edits.order`, and of the objects of a list `slices[].point`."""
    if about.get("type") == "array":
        name, about = f"{name}[]", about["items"]
    schema = schemas.get(about.get("$ref", "").rpartition("/")[2], {})
    required = schema.get("required", ())
    return [
        _field(f"{name}.{inner}", found, inner in required)
        for inner, found in schema.get("properties", {}).items()
    ]


def _field(name: str, schema: dict, required: bool) -> dict:
    return {
        "name": name,
        "type": _type(schema),
        "default": "—" if required else json.dumps(schema.get("default")),
        "description": _prose(schema.get("description", "")),
    }


def _example(path: str, origin: str) -> str:
    if path in UPLOADS:
        checkpoint, query, sent = UPLOADS[path]
        return f"curl -N '{origin}{path.replace('{id}', checkpoint)}?{query}' \\\n  {sent}"
    if path not in EXAMPLES:
        return ""
    of, body = EXAMPLES[path]
    address, body = origin + re.sub(r"{\w+}", of, path), json.dumps(body)
    return f"curl -N {address} \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"


def calls(openapi: dict, origin: str) -> list[dict]:
    """Every operation with its fields and an example."""
    schemas = openapi.get("components", {}).get("schemas", {})
    return [
        {
            "method": method.upper(),
            "path": path,
            "description": _prose(operation.get("description", operation.get("summary", ""))),
            "fields": _fields(operation, schemas),
            "example": _example(path, origin),
        }
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]


@router.get("/docs")
def docs(request: Request) -> Response:
    return RedirectResponse(f"/{reader_language(request)}/docs", 307, {"Vary": "Accept-Language"})


@router.get("/{language}/docs")
def docs_in(request: Request, language: str) -> Response:
    language = require_language(language)
    found = calls(request.app.openapi(), str(request.base_url).rstrip("/"))
    return render(request, language, "docs.html", calls=found)
