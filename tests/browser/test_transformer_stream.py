"""The stream of a transformer's lab: what comes next, the lens, changes, positions, writing. What
is drawn is held against what the API computes."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.backend.serving import decode, steps
from tests.browser.conftest import serve
from tests.toys.transformers import write_transformers

pytestmark = pytest.mark.browser
SECONDS = 30_000  # ms that anything may take on a busy machine
TEXT = "abba cd fade"
LAST = len(TEXT) - 1
LAYERS, HEADS = 2, 4


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory) -> Iterator[str]:
    """A server of toy transformers."""
    folder = tmp_path_factory.mktemp("transformers")
    write_transformers(folder)
    with serve(root, folder, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def lab(checkpoint: str = "toy-gpt", query: str = "") -> str:
    return f"/en/lab/{checkpoint}?text={TEXT.replace(' ', '%20')}{query}"


def sliced(server: str, checkpoint: str, point: str, at=None, edits=None, **how) -> dict:
    """One slice from the API, its data decoded."""
    body = {"text": TEXT, "edits": edits or {}, "slices": [{"point": point, "at": at or {}, **how}]}
    url = f"{server}/api/checkpoints/{checkpoint}/slices"
    answer = httpx2.post(url, json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["slices"]
    return found | {"data": decode(found["data"])}


def after(server: str, checkpoint: str = "toy-gpt", place: int = LAST, **edits) -> np.ndarray:
    """Probabilities of what comes after a token, (V,)."""
    point = f"blocks.{LAYERS - 1}.lens"
    return sliced(server, checkpoint, point, {"time": place}, edits)["data"]


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    p, q = p.astype(float), q.astype(float)
    return float((p * np.log(p / q)).sum())


def number(node: Locator, name: str = "title") -> float:
    """The full number of a node's tooltip."""
    return float((node.get_attribute(name) or "nan").split(" → ")[-1].replace("−", "-"))


def shown(page: Page, name: str) -> Locator:
    """A figure, brought into sight: until then it asks for nothing."""
    figure = page.locator(f".{name}-figure")
    figure.scroll_into_view_if_needed(timeout=SECONDS)
    return figure


def until(page: Page, expression: str) -> None:
    """Wait until an expression of the page is true. The page's policy allows no polling inside."""
    for _ in range(SECONDS // 50):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {expression}")


def edits(page: Page) -> dict:
    return page.evaluate("lab.store.state.edits")


def test_what_comes_next_stands_beside_what_it_was_before_a_head_was_switched_off(
    open_page, server
):
    page = open_page(lab())
    rows = page.locator(".next-token:visible")
    expect(rows).to_have_count(10, timeout=SECONDS)
    before = after(server)
    best = np.sort(before)[::-1][:10]
    assert [number(row) for row in rows.all()] == pytest.approx(best, rel=1e-6)
    shown(page, "edits")
    page.get_by_role("button", name="Layer 1, head 2: on").click()
    shown(page, "next")
    told = page.locator(".next-change")
    expect(told).to_contain_text("nats", timeout=SECONDS)
    now = after(server, heads_off=["blocks.1.2"])
    assert number(told) == pytest.approx(divergence(before, now), rel=1e-4)
    assert number(rows.first) == pytest.approx(now.max(), rel=1e-6)
    change = rows.first.locator(".change").inner_text().replace("−", "-")
    by = 100 * (now.max() - before[now.argmax()])
    assert float(change.replace("±", "")) == pytest.approx(by, abs=0.06)
    page.get_by_role("button", name="Take all changes back").click()
    shown(page, "next")
    expect(page.locator(".next.compared")).to_have_count(0, timeout=SECONDS)
    assert [number(row) for row in rows.all()] == pytest.approx(best, rel=1e-6)


def test_a_cell_of_the_lens_holds_what_the_stream_predicts_there(open_page, server):
    page = open_page(lab())
    figure = shown(page, "lens")
    columns = figure.locator(".lens-column:not(.pending)")
    expect(columns).to_have_count(len(TEXT), timeout=SECONDS)
    lens = sliced(server, "toy-gpt", "blocks.*.lens", {}, top=5)
    for layer, place in [(0, 3), (1, 7)]:
        cell = columns.nth(place).locator(f'[role="gridcell"][data-l="{layer}"]')
        token = lens["top_tokens"][layer][place][0]
        assert cell.inner_text() == token.replace(" ", "␣").replace("\n", "↵")
        right = token == TEXT[place + 1]
        assert ("right" in cell.get_attribute("class").split()) == right
    columns.nth(7).locator('[data-l="1"]').last.click()
    assert page.evaluate("[lab.store.state.layer, lab.store.query]") == [1, 7]
    bars = figure.locator(".top-token")
    assert [number(row) for row in bars.all()] == pytest.approx(lens["data"][1, 7], rel=1e-6)
    stream = sliced(server, "toy-gpt", "blocks.1.residual", {"time": 7})["data"]
    size = figure.locator(".stream-size.chosen .num")
    expect(size).to_have_text(f"{np.linalg.norm(stream):.3g}", timeout=SECONDS)


def test_layers_take_their_turn_and_show_what_attention_brings_to_the_stream(open_page, server):
    page = open_page(lab(query="&layer=1&query=8"))
    figure = shown(page, "lens")
    until(page, "lab.views.lens.get('').views[0].looks.known.has(8)")
    drawn = page.evaluate("Array.from(lab.views.lens.get('').views[0].looks.known.get(8))")
    weights = sliced(server, "toy-gpt", "blocks.*.attention", {"query": 8})["data"]
    assert np.reshape(drawn, (LAYERS, -1)) == pytest.approx(weights.mean(1), abs=0.005)
    columns = figure.locator(".lens-column")
    expect(columns.nth(8).locator(".looked")).to_have_count(LAYERS, timeout=SECONDS)
    expect(columns.nth(9).locator(".looked")).to_have_count(0)
    page.evaluate("""() => {
      lab.turns = [];
      lab.store.addEventListener("select", () => lab.turns.push(lab.store.state.layer));
    }""")
    figure.get_by_role("button", name="Layer by layer").click()
    until(page, "!document.querySelector('.playing')")
    assert page.evaluate("lab.turns") == list(range(LAYERS))
    page.keyboard.press("{")
    expect(figure.locator(".ahead")).to_have_count(len(TEXT))


def test_each_head_off_in_turn_is_measured_one_reading_a_head(open_page, server):
    page = open_page(lab(query="&layer=1"))
    shown(page, "edits")
    page.get_by_role("button", name="this layer").click()
    switches = page.locator(".switch.measured")
    expect(switches).to_have_count(HEADS, timeout=SECONDS)
    before = after(server)
    for head, switch in enumerate(switches.all()):
        now = after(server, heads_off=[f"blocks.1.{head}"])
        assert number(switch) == pytest.approx(divergence(before, now), rel=1e-4, abs=1e-7)
    expect(page.locator(".board-readout")).to_contain_text("Most changes without head")


def resting(page, place) -> dict:
    """Where something lies once the figures above it have grown to their sizes."""
    before, now = None, place.bounding_box()
    while before != now:
        page.wait_for_timeout(500)
        before, now = now, place.bounding_box()
    return now


def test_a_rectangle_that_is_painted_is_looked_at_by_nobody(open_page, server):
    page = open_page(lab())
    shown(page, "edits")
    mask = page.locator("canvas.mask")
    expect(mask).to_be_visible(timeout=SECONDS)
    box = resting(page, mask)
    cell = box["width"] / len(TEXT)

    def middle(query, key):
        return box["x"] + (key + 0.5) * cell, box["y"] + (query + 0.5) * cell

    page.mouse.move(*middle(5, 1))
    page.mouse.down()
    page.mouse.move(*middle(8, 3), steps=3)
    page.mouse.up()
    assert edits(page)["blocked"] == [[5, 9, 1, 4]]
    # By keys: from where it ended, two cells to the right and one down.
    for key in ("ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert edits(page)["blocked"] == [[5, 9, 1, 4], [8, 10, 4, 6]]
    until(page, "!lab.store.busy && lab.store.reading.edited")
    slice = "{point: 'blocks.0.attention', at: {head: 1}}"
    drawn = page.evaluate(f"lab.store.slices([{slice}]).then(([one]) => Array.from(one.data))")
    weights = np.array(drawn).reshape(len(TEXT), len(TEXT))
    assert weights[5:9, 1:4].max() == 0
    assert weights[8:10, 4:6].max() == 0
    assert weights.sum(1) == pytest.approx(1, abs=1e-5)
    page.get_by_role("button", name="only the last").click()
    rows = edits(page)["blocked"]
    allowed = np.tril(np.ones((len(TEXT), len(TEXT)), bool))
    for first, stop, left, right in rows:
        allowed[first:stop, left:right] = False
    assert allowed.sum(1).tolist() == [1, 2, 3] + [4] * (len(TEXT) - 3)
    page.get_by_role("button", name="as it is").click()
    assert edits(page)["blocked"] == []


def test_without_positions_an_encoder_sees_a_set(open_page, server):
    page = open_page(lab("toy-encoder"))
    shown(page, "edits")
    page.get_by_role("button", name="Reverse").click()
    bars = page.locator(".moved .num")
    expect(bars.nth(1)).to_have_text("not at all", timeout=SECONDS)
    order = list(range(LAST, -1, -1))
    assert edits(page)["order"] == order
    point = f"blocks.{LAYERS - 1}.residual"
    before = sliced(server, "toy-encoder", point)["data"]
    moved = sliced(server, "toy-encoder", point, edits={"order": order})["data"]
    gap = np.linalg.norm(moved - before[order], axis=1) / np.linalg.norm(before[order], axis=1)
    assert number(bars.nth(0)) == pytest.approx(gap.mean(), rel=1e-4)
    assert number(bars.nth(1)) < 1e-5
    expect(page.locator(".order-sentence")).to_contain_text("attention sees a set")
    # The streams of tokens, alike or not.
    shown(page, "lens")
    expect(page.locator(".near-token")).to_have_count(5, timeout=SECONDS)
    unit = sliced(server, "toy-encoder", "blocks.0.residual", edits={"order": order})["data"]
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    best = np.sort(unit @ unit[LAST])[::-1][1]
    assert float(page.locator(".near-token .num").first.inner_text()) == pytest.approx(
        best, abs=0.005
    )


def test_rotary_products_at_their_own_distance_are_the_scores_of_the_network(open_page, server):
    page = open_page(lab("toy-llama", "&layer=1&head=3&query=9&key=4"))
    figure = shown(page, "positions")
    chart = figure.locator(".distance-chart")
    expect(chart.locator(".pair-line")).to_be_attached(timeout=SECONDS)
    scores = sliced(server, "toy-llama", "blocks.1.scores", {"head": 3})["data"]
    values = page.evaluate("lab.views.positions.values()")
    assert values[5] == pytest.approx(scores[9, 4], rel=1e-4)
    expect(figure).to_contain_text("They stand 5 apart")
    # What is added to tokens elsewhere: rows of the table that was learned.
    page.goto(lab("toy-gpt"))
    shown(page, "positions")
    until(page, "lab.views.positions.n > 0")
    rows = sliced(server, "toy-gpt", "positions")["data"]
    table = page.evaluate("Array.from(lab.views.positions.values)")
    assert table[: rows.size] == pytest.approx(rows.ravel().tolist())


def test_it_writes_what_the_api_writes_and_goes_on_otherwise_from_a_token(open_page, server):
    page = open_page(lab(query="&layer=1&head=2&off=blocks.0.1"))
    figure = shown(page, "writing")
    figure.get_by_label("tokens").fill("6")
    figure.get_by_role("button", name="Write", exact=True).click()
    tokens = figure.locator(".written-token")
    expect(tokens).to_have_count(len(TEXT) + 6, timeout=SECONDS)
    expect(figure.get_by_role("button", name="Stop")).to_be_hidden(timeout=SECONDS)

    def written(prefix: str, count: int) -> list[dict]:
        body = {"prefix": prefix, "max_new_tokens": count, "temperature": 0.8, "seed": 7}
        body |= {"heads_off": ["blocks.0.1"], "points": ["blocks.1.attention"]}
        url = f"{server}/api/checkpoints/toy-gpt/generate"
        return steps(httpx2.post(url, json=body, timeout=60).text)

    def text() -> str:
        return page.evaluate("lab.views.writing.written.text()")

    found = written(TEXT, 6)
    assert text() == "".join(step["token"] for step in found)
    row = page.evaluate(f"Array.from(lab.views.writing.written.row({len(TEXT) + 2}, 2))")
    weights = decode(found[len(TEXT) + 2]["points"]["blocks.1.attention"]["data"])
    assert row == pytest.approx(weights[2].tolist(), abs=1e-6)
    # The second likeliest at the third token that was drawn.
    tokens.nth(len(TEXT) + 2).click()
    other = found[len(TEXT) + 2]["top"][1]["token"]
    prefix = text()[: len(TEXT) + 2] + other
    figure.locator(".alternative").nth(1).click()
    expect(tokens).to_have_count(len(prefix) + 6, timeout=SECONDS)
    until(page, "!lab.views.writing.written.busy")
    assert text() == "".join(step["token"] for step in written(prefix, 6))
    assert json.loads(page.evaluate("JSON.stringify(lab.store.state.text)")) == TEXT
