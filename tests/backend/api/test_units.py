import numpy as np
import pytest

from backend.api.units import MOST
from models.char_rnn import CharRunner
from models.probing import correlation, states
from models.properties import PROPERTIES
from models.text import Characters
from tests.backend.serving import assert_error, decode
from tests.toys import CONFIGS, SYMBOLS

TEXT = "abba\ncafe bed\nface\nbee\n"


def ask(client, id="toy-lstm", **body):
    return client.post(f"/api/checkpoints/{id}/units", json={"text": TEXT, **body})


def test_every_unit_is_scored_on_one_half_and_judged_on_the_other(client, networks):
    told = ask(client, property="line_position", most=1000).json()
    assert told["score"] == "correlation"
    assert (told["split"], told["compared"]) == (12, 48)
    numbers = PROPERTIES["line_position"].of(TEXT)
    np.testing.assert_array_equal(decode(told["numbers"]), numbers)
    runner = CharRunner(networks["toy-lstm"], Characters(SYMBOLS), capacity=1)
    values = states(runner, TEXT)
    for one in told["units"]:
        column = values[one["point"]][:, [one["unit"]]]
        assert one["chosen"] == pytest.approx(correlation(column[:12], numbers[:12])[0], abs=1e-4)
        assert one["judged"] == pytest.approx(correlation(column[12:], numbers[12:])[0], abs=1e-4)
    strengths = [abs(one["chosen"]) for one in told["units"]]
    assert strengths == sorted(strengths, reverse=True)


def test_marks_of_the_reader_are_a_property_too(client):
    marks = [character == "b" for character in TEXT]
    marks[0] = None
    told = ask(client, marks=marks, points=["rnn.0.h"], most=3).json()
    assert told["score"] == "auc"
    assert (told["property"], told["compared"]) == (None, 12)
    assert np.isnan(decode(told["numbers"])[0])
    assert len(told["units"]) == 3
    best = told["units"][0]
    assert abs(best["chosen"] - 0.5) >= abs(told["units"][2]["chosen"] - 0.5)


def test_marks_in_one_half_alone_judge_nothing(client):
    told = ask(client, marks=[at < 3 for at in range(len(TEXT))]).json()
    assert all(one["judged"] is None for one in told["units"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"property": "beauty"},
        {"property": "word", "marks": [True] * len(TEXT)},
        {"marks": [True]},
    ],
)
def test_a_property_that_is_none_is_refused(client, body):
    assert_error(ask(client, **body), 422, "bad_property")


def test_gates_may_be_asked_for_but_no_points_that_are_not_there(client):
    told = ask(client, property="word", points=["rnn.1.f"]).json()
    assert {one["point"] for one in told["units"]} == {"rnn.1.f"}
    assert_error(ask(client, property="word", points=["rnn.7.f"]), 422, "unknown_point")
    assert_error(ask(client, property="word", points=[]), 422, "no_units")


def test_a_text_that_is_too_long_is_refused_with_its_limit(client):
    answer = client.post(
        "/api/checkpoints/toy-lstm/units", json={"text": "a" * (MOST + 1), "property": "word"}
    )
    assert assert_error(answer, 413, "text_too_long")["limit"] == MOST


def test_a_plain_network_has_no_cell_state_to_look_at(client):
    told = ask(client, "toy-rnn", property="word").json()
    assert {one["point"] for one in told["units"]} == {"rnn.0.h"}
    assert told["compared"] == CONFIGS["toy-rnn"].hidden_size
