"""Convolutions behind the routes and the engine of the recurrent networks: traces and streams."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from backend.settings import Settings
from models.char_conv import points_of
from tests.backend.serving import assert_error, decode, generate, in_process, steps
from tests.toys import SYMBOLS, TEXT
from tests.toys.characters import CONVOLUTIONS, write_convolution

TOLERANCE = 1e-5  # a step against a whole pass, absolute


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("convolutions")
    return folder, {id: write_convolution(folder / id, id) for id in CONVOLUTIONS}


@pytest.fixture(scope="module")
def client(networks):
    with in_process(Settings(checkpoints=networks[0], device="cpu")) as client:
        yield client


def passed(network, tokens: list[int]):
    """The points (T, units) of a whole pass, and the probabilities (T, V)."""
    found = {}
    logits = network.logits(torch.tensor([tokens]), found.__setitem__)[0]
    return {name: value[0].numpy() for name, value in found.items()}, logits.softmax(-1).numpy()


@pytest.mark.parametrize("id", CONVOLUTIONS)
def test_the_catalogue_tells_what_there_is_to_see(client, id):
    told = client.get(f"/api/checkpoints/{id}").json()
    assert (told["kind"], told["tasks"]) == ("char_conv", ["trace", "generate"])
    assert [point["name"] for point in told["points"]] == [
        point.name for point in points_of(CONVOLUTIONS[id])
    ]


@pytest.mark.parametrize("id", CONVOLUTIONS)
def test_a_trace_tells_the_points_and_what_comes_next(client, networks, id):
    asked = {"text": TEXT, "start": 20}
    told = client.post(f"/api/checkpoints/{id}/trace", json=asked).json()
    points, after = passed(networks[1][id], [SYMBOLS.index(c) for c in TEXT])
    assert list(told["points"]) == list(points)
    for name, expected in points.items():
        found = decode(told["points"][name]["data"])
        np.testing.assert_allclose(found, expected[20:], atol=TOLERANCE, rtol=0)
    top = -np.sort(-after, axis=-1)[20:, :5]
    np.testing.assert_allclose(decode(told["next"]["probabilities"]), top, atol=TOLERANCE)


@pytest.mark.parametrize("id", CONVOLUTIONS)
def test_what_is_written_is_what_a_pass_over_it_gives_at_every_step(client, networks, id):
    found = steps(generate(client, id, "ab<", max_new_tokens=30, seed=3).text)
    points, after = passed(networks[1][id], [step["token_id"] for step in found])
    assert len(found) == 33
    for t, step in enumerate(found):
        for name, expected in points.items():
            values = decode(step["points"][name]["data"])
            np.testing.assert_allclose(values, expected[t], atol=TOLERANCE, rtol=0)
        if t:
            expected = after[t - 1][step["token_id"]]
            assert step["probability"] == pytest.approx(expected, abs=TOLERANCE)


def test_a_text_comes_out_the_same_alone_beside_others_and_gone_on_with(client):
    def write(prefix: str, count: int, seed: int) -> str:
        found = steps(
            generate(client, "toy-conv", prefix, max_new_tokens=count, seed=seed, points=[]).text
        )
        return "".join(step["token"] for step in found)

    alone = write("ab", 40, 7)
    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(write, "ab", 40, seed) for seed in (7, 1, 2, 7, 3, 7)]
        together = [future.result() for future in futures]
    assert together[0] == together[3] == together[5] == alone
    assert write(alone[:25], 17, 7) == alone


def test_there_are_no_heads_to_take_away(client):
    answer = generate(client, "toy-conv", "ab", max_new_tokens=1, heads_off=["blocks.0.0"])
    assert_error(answer, 422, "bad_edits")
