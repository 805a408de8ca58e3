import html
import re
from urllib.parse import parse_qs

import pytest

from backend.api.answer import FIELDS, AnswerQuery
from backend.api.caption import CaptionQuery
from backend.api.classify import ClassifyRequest
from backend.api.forecast import ForecastRequest
from backend.api.generate import GenerateRequest
from backend.api.gradients import GradientsRequest
from backend.api.imports import Answers, Brought
from backend.api.read import ReadQuery
from backend.api.slices import EditsWish, SlicesRequest, SliceWish
from backend.api.tag import TagRequest
from backend.api.trace import TraceRequest
from backend.api.training import TrainingRequest
from backend.api.translate import TranslateRequest
from backend.api.units import UnitsRequest
from backend.docs import EXAMPLES, UPLOADS, calls
from backend.i18n import LANGUAGES
from tests.toys import CONFIGS

MODELS = {
    "trace": TraceRequest,
    "units": UnitsRequest,
    "{recipe}": TrainingRequest,
    "generate": GenerateRequest,
    "classify": ClassifyRequest,
    "tag": TagRequest,
    "forecast": ForecastRequest,
    "translate": TranslateRequest,
    "slices": SlicesRequest,
    "gradients": GradientsRequest,
    "answers": Answers,
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_the_api_tells_every_address_and_every_field(client, language):
    answer = client.get(f"/{language}/docs")
    shown = html.unescape(re.sub("<[^>]+>", " ", answer.text))
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in shown
    for model in MODELS.values():
        for name in model.model_fields:
            assert re.search(rf"\b{name}\b", shown), name
    for name in [*CaptionQuery.model_fields, *AnswerQuery.model_fields, *Brought.model_fields]:
        assert f"?{name} " in shown
    for name in FIELDS:
        assert re.search(rf"\b{name}\b", shown), name
    for name in SliceWish.model_fields:
        assert f" slices[].{name} " in shown
    for name in EditsWish.model_fields:
        assert f" edits.{name} " in shown
    assert "image/webp" in shown


def test_bounds_and_defaults_are_told_as_they_are_checked(client):
    found = {call["path"]: call for call in calls(client.app.openapi(), "http://here")}
    fields = {f["name"]: f for f in found["/api/checkpoints/{id}/generate"]["fields"]}
    assert fields["temperature"]["type"] == "number > 0 ≤ 100"
    assert fields["temperature"]["default"] == "0.8"
    assert fields["prefix"]["default"] == "—"
    assert fields["points"]["type"] == "string[] | null"
    assert fields["points"]["default"] == "null"
    fields = {f["name"]: f for f in found["/api/checkpoints/{id}/translate"]["fields"]}
    assert fields["beam_size"]["type"] == "integer ≥ 1 ≤ 8"
    assert fields["force"]["type"] == "integer[][]"
    assert fields["force"]["default"] == "[]"
    fields = {f["name"]: f for f in found["/api/checkpoints/{id}/slices"]["fields"]}
    assert fields["slices[].point"]["default"] == "—"
    assert fields["slices[].size"]["type"] == "integer ≥ 0 ≤ 4096"
    assert fields["edits.blocked"]["type"] == "integer[][]"


def test_a_query_is_told_with_its_bounds_too(client):
    found = {call["path"]: call for call in calls(client.app.openapi(), "http://here")}
    fields = {f["name"]: f for f in found["/api/checkpoints/{id}/caption"]["fields"]}
    assert fields["?beam_size"]["type"] == "integer ≥ 1 ≤ 8"
    assert fields["?beam_size"]["default"] == "1"
    assert fields["?force"]["type"] == "string[]"
    assert fields["body"]["default"] == "—"
    fields = {f["name"]: f for f in found["/api/checkpoints/{id}/answer"]["fields"]}
    assert fields["question"]["default"] == "—"
    assert fields["key"]["default"] == "null"


@pytest.mark.parametrize("path", UPLOADS)
def test_the_query_of_every_example_is_one_that_is_taken(path):
    _, query, sent = UPLOADS[path]
    models = {"caption": CaptionQuery, "answer": AnswerQuery, "read": ReadQuery}
    model = models[path.rpartition("/")[2]]
    told = parse_qs(query, strict_parsing=True)
    lists = {"points", "force"}
    model.model_validate({k: v if k in lists else v[0] for k, v in told.items()})
    assert "@" in sent


@pytest.mark.parametrize("path", EXAMPLES)
def test_the_body_of_every_example_is_one_that_is_taken(path):
    MODELS[path.rpartition("/")[2]].model_validate(EXAMPLES[path][1], strict=True)


def test_every_example_is_a_command_for_this_server(client):
    found = {call["path"]: call for call in calls(client.app.openapi(), "http://here:1")}
    for path, (id, body) in EXAMPLES.items():
        command = found[path]["example"]
        assert command.startswith("curl -N http://here:1/api/")
        assert f"/{id}" in command
        assert "{id}" not in command
        assert all(f'"{name}"' in command for name in body)


def test_every_upload_is_a_command_for_this_server(client):
    found = {call["path"]: call for call in calls(client.app.openapi(), "http://here:1")}
    for path, (id, query, _) in UPLOADS.items():
        command = found[path]["example"]
        assert command.startswith(f"curl -N 'http://here:1/api/checkpoints/{id}/")
        assert f"?{query}' " in command


def test_a_server_without_the_checkpoint_of_the_examples_has_the_page_all_the_same(client):
    assert not {id for id, _ in EXAMPLES.values()} & set(CONFIGS)
    assert client.get("/en/docs").status_code == 200
