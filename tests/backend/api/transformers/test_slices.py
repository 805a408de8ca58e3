import numpy as np
import pytest
import torch

from models.edits import Edits
from models.slicing import Slice
from tests.backend.api.transformers.asking import (
    PAIR,
    STACKS,
    TOLERANCE,
    ask,
    cut,
    reader,
    text_for,
    values,
)
from tests.backend.serving import decode
from tests.toys import SYMBOLS, TEXT

EVERY = pytest.mark.parametrize("id", [*STACKS, PAIR])


def point(id: str, name: str) -> str:
    return f"decoder.{name}" if id == PAIR else name


@EVERY
def test_every_point_of_the_catalogue_is_cut_with_its_axes_and_numbers(client, networks, id):
    about = client.get(f"/api/checkpoints/{id}").json()
    assert "slices" in about["tasks"]
    names = [one["name"] for one in about["points"]]
    found = cut(client, id, [{"point": name} for name in names])
    run = reader(networks, id)
    ids = run.read(text_for(id)).ids if id == PAIR else run.reads.encode(TEXT)
    reading = run.reading(ids, target_ids=found["target_ids"])
    assert found["token_ids"] == ids
    for told, known in zip(found["slices"], about["points"], strict=True):
        expected = reading.slice(Slice(known["name"]))
        assert (told["axes"], told["range"]) == (known["axes"], known["range"])
        data = decode(told["data"])
        np.testing.assert_allclose(data, expected.data, atol=TOLERANCE, err_msg=told["point"])
        assert told["pooled"] == 1
        assert told["top_tokens"] is told["top_ids"] is None


@EVERY
def test_the_tokens_are_the_text_with_its_spans(client, id):
    found, text = cut(client, id), text_for(id)
    read = [(a, b) for a, b in found["spans"] if a < b]
    assert [text[a:b] for a, b in read] == found["tokens"][: len(read)]
    assert found["tokens"][len(read) :] == (["</s>"] if id == PAIR else [])
    assert (found["checkpoint"], found["edited"], found["slices"]) == (id, False, [])
    assert 0 <= found["seconds"] < 60


@EVERY
def test_a_star_stands_for_every_layer_and_an_index_takes_its_axis_away(client, id):
    name = point(id, "blocks.{}.attention")
    wish = {"head": 1, "query": [1, 4]}
    star, one, layer = cut(
        client,
        id,
        [
            {"point": name.format("*"), "at": wish},
            {"point": name.format(1), "at": wish},
            {"point": name.format("*"), "at": {"layer": 1, **wish}},
        ],
    )["slices"]
    assert star["axes"] == ["layer", "query", "key"]
    assert one["axes"] == layer["axes"] == ["query", "key"]
    assert values(star).shape[:2] == (2, 3)
    assert np.array_equal(values(star)[1], values(one))
    assert np.array_equal(values(layer), values(one))


@EVERY
def test_bytes_stand_for_the_numbers(client, id):
    for name, error in (("blocks.1.attention", 1 / 255), ("blocks.1.residual", None)):
        exact, rough = cut(
            client, id, [{"point": point(id, name), "form": form} for form in ("f4", "u1")]
        )["slices"]
        assert rough["data"]["dtype"] == "u1"
        assert rough["scale"] == ("sqrt" if error else "linear")
        error = error or (rough["high"] - rough["low"]) / 255
        np.testing.assert_allclose(values(rough), values(exact), atol=error)


@EVERY
@pytest.mark.parametrize("size", [1, 3, 4, 4096])
def test_a_map_is_pooled_by_its_largest(client, id, size):
    name = point(id, "blocks.0.attention")
    exact, rough = cut(client, id, [{"point": name}, {"point": name, "form": "u1", "size": size}])[
        "slices"
    ]
    whole, found, cells = values(exact), values(rough), rough["pooled"]
    assert max(found.shape[1:]) <= size
    for (head, query, key), value in np.ndenumerate(found):
        part = whole[head, query * cells : (query + 1) * cells, key * cells : (key + 1) * cells]
        assert value == pytest.approx(part.max(), abs=1 / 255)


@pytest.mark.parametrize("id", ["toy-gpt", "toy-encoder", PAIR])
def test_the_largest_of_a_token_axis_are_told_with_their_texts(client, id):
    name = point(id, "blocks.*.lens")
    whole, top = cut(client, id, [{"point": name}, {"point": name, "top": 4}])["slices"]
    best = torch.tensor(values(whole)).topk(4)
    np.testing.assert_array_equal(values(top), best.values)
    assert decode(top["top_ids"]).tolist() == best.indices.tolist()
    if id != PAIR:
        texts = [[[SYMBOLS[k] for k in row] for row in layer] for layer in best.indices.tolist()]
        assert top["top_tokens"] == texts
    (one,) = cut(client, id, [{"point": name, "top": 1, "at": {"time": 0, "layer": 0}}])["slices"]
    assert one["top_tokens"] == top["top_tokens"][0][0][:1]


@EVERY
def test_what_comes_next_is_told_where_the_network_predicts_it(client, networks, id):
    found = cut(client, id)
    if id == "toy-encoder":
        assert found["next"] is None
        return
    reading = reader(networks, id).reading(found["token_ids"], target_ids=found["target_ids"])
    best = reading.next().topk(10)
    assert found["next"]["token_ids"] == best.indices.tolist()
    np.testing.assert_allclose(decode(found["next"]["probabilities"]), best.values, atol=TOLERANCE)


@pytest.mark.parametrize("id", STACKS)
def test_edits_are_made_and_the_tokens_come_in_the_order_they_were_read(client, networks, id):
    order = list(range(len(TEXT)))[::-1]
    edits = {
        "heads_off": ["blocks.0.1", "blocks.1.3"],
        "blocked": [[2, 9, 0, 2]],
        "positions": False,
        "order": order,
    }
    found = cut(client, id, [{"point": "blocks.*.residual"}], edits=edits)
    assert found["edited"] is True
    assert found["tokens"] == list(TEXT[::-1])
    assert found["spans"] == [[k, k + 1] for k in order]
    run = reader(networks, id)
    made = Edits(frozenset(edits["heads_off"]), ((2, 9, 0, 2),), False, tuple(order))
    expected = run.reading(run.reads.encode(TEXT), made).slice(Slice("blocks.*.residual"))
    np.testing.assert_allclose(values(found["slices"][0]), expected.data, atol=TOLERANCE)
    plain = cut(client, id, [{"point": "blocks.*.residual"}])
    assert not np.allclose(values(plain["slices"][0]), expected.data, atol=1e-2)


@EVERY
def test_a_text_that_may_not_be_looked_at_at_all_gives_finite_numbers(client, id):
    name = point(id, "blocks.*.cross.attention" if id == PAIR else "blocks.*.attention")
    maps, stream = cut(
        client,
        id,
        [{"point": name}, {"point": point(id, "blocks.*.residual")}],
        edits={"blocked": [[0, 4, 0, 7]]},
        **({"target": [5, 6, 7]} if id == PAIR else {}),
    )["slices"]
    assert not values(maps)[:, :, :4, :7].any()
    assert np.isfinite(values(stream)).all()


def test_a_translator_reads_what_it_writes_by_itself_unless_it_is_told(client, networks):
    answer = client.post(
        f"/api/checkpoints/{PAIR}/translate",
        json={"text": text_for(PAIR), "max_new_tokens": 23, "points": []},
    ).json()
    wish = [{"point": "decoder.blocks.1.cross.attention"}]
    free = cut(client, PAIR, wish)
    assert free["target_ids"] == answer["target_ids"]
    assert free["target_tokens"] == answer["target_tokens"]
    mean = values(free["slices"][0]).mean(0)[:-1]  # the last row would write the next token
    np.testing.assert_allclose(mean, decode(answer["attention"]), atol=TOLERANCE)
    told = cut(client, PAIR, wish, target=free["target_ids"][:3])
    assert told["target_ids"] == free["target_ids"][:3]
    rows = values(free["slices"][0])[:, :4]  # the step after the last token too
    np.testing.assert_allclose(values(told["slices"][0]), rows, atol=TOLERANCE)
    begin = cut(client, PAIR, wish, target=[])
    assert values(begin["slices"][0]).shape[1] == 1


def test_what_was_read_is_remembered_and_the_same_is_told_again(client):
    readings = client.app.state.readings
    body = {"slices": [{"point": "blocks.*.attention", "form": "u1"}], "text": "cab fed"}
    first = cut(client, **body)
    passes = readings.passes
    again = cut(client, **body)
    other = cut(client, **body | {"slices": [{"point": "blocks.0.v"}]})
    assert readings.passes == passes
    assert first["slices"] == again["slices"]
    assert other["next"] == first["next"]
    cut(client, **body, edits={"positions": False})
    assert readings.passes == passes + 1


def test_others_are_told_that_they_have_no_slices(client):
    error = ask(client, "toy-lstm").json()["error"]
    assert error["code"] == "wrong_task"
    assert "toy-gpt" in error["checkpoints"]
