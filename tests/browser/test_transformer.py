"""The lab of transformers, used as a person uses it; what it shows is held against the networks."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.backend.serving import decode
from tests.browser.conftest import serve
from tests.toys.transformers import write_transformers

pytestmark = pytest.mark.browser
SECONDS = 30_000  # ms that an answer may take on a busy machine
TEXT = "ab ba cab"
EDITS = {"heads_off": [], "blocked": [], "positions": True, "order": []}


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory) -> Iterator[str]:
    """A server of toy transformers."""
    folder = tmp_path_factory.mktemp("transformers")
    write_transformers(folder)
    with serve(root, folder, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def lab(checkpoint: str = "toy-llama", query: str = f"text={TEXT}", language: str = "en") -> str:
    return f"/{language}/lab/{checkpoint}?{query}"


def settled(page: Page) -> None:
    """Wait until a text is read, its heads are drawn, and one look is told."""
    expect(page.locator("#stage")).not_to_have_class(re.compile("empty"), timeout=SECONDS)
    expect(page.locator(".scope .agree")).to_have_count(3, timeout=SECONDS)
    expect(page.locator(".scope")).not_to_have_class(re.compile("stale"), timeout=SECONDS)


def sliced(server: str, checkpoint: str, point: str, text: str = TEXT, **at) -> np.ndarray:
    """A slice from the API, in real numbers."""
    body = {"text": text, "edits": EDITS, "slices": [{"point": point, "at": at}]}
    answer = httpx2.post(f"{server}/api/checkpoints/{checkpoint}/slices", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return decode(answer.json()["slices"][0]["data"])


def cell(page: Page, query: int, key: int) -> Locator:
    """Bring a cell of the opened head under the pointer; returns its map."""
    cells = page.locator(".matrix-cells")
    middle = f"(r => [r.x({key}) + r.cellWidth / 2, r.y({query}) + r.cellHeight / 2])"
    x, y = page.evaluate(f"{middle}(lab.head.matrix.rows)")
    cells.hover(position={"x": x, "y": y})
    return cells


def ink(page: Page, canvas: str, x: str, y: str) -> list[int]:
    """The colour of a canvas at a place, in css px, both told as expressions of the page."""
    return page.evaluate(
        f"""() => {{
          const canvas = document.querySelector("{canvas}");
          const ratio = canvas.width / canvas.clientWidth;
          const at = [Math.round({x} * ratio), Math.round({y} * ratio), 1, 1];
          return [...canvas.getContext("2d").getImageData(...at).data];
        }}"""
    )


def ramp(page: Page, weight: float) -> list[int]:
    """The colour that a weight has on this page."""
    css = page.evaluate(
        """async (k) => {
          const { src } = document.querySelector("script[type=module][src*=transformer]");
          return (await import(new URL("../color.js", src))).attentionRamp().css[k];
        }""",
        round(255 * float(np.sqrt(weight))),
    )
    return [int(number) for number in re.findall(r"\d+", css)]


def test_every_head_is_drawn_in_the_colours_of_its_weights(open_page, server):
    page = open_page(lab())
    settled(page)
    weights = sliced(server, "toy-llama", "blocks.*.attention")
    assert weights.shape[:2] == (2, 4)
    size = len(TEXT)
    for layer, head, query, key in [(0, 0, 8, 0), (1, 3, 5, 5), (1, 2, 8, 7)]:
        place = [
            f"(lab.heads.{axis}({index}) + (lab.heads.cell - 2) * ({at} + 0.5) / {size})"
            for axis, index, at in (("x", head, key), ("y", layer, query))
        ]
        drawn = ink(page, ".heads-cells", *place)[:3]
        assert drawn == pytest.approx(ramp(page, weights[layer, head, query, key]), abs=6)


def test_a_cell_tells_the_weight_that_the_network_gave(open_page, server):
    page = open_page(lab())
    settled(page)
    page.locator(".heads-cells").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#head-title")).to_have_text("Layer 1, head 2")
    weights = sliced(server, "toy-llama", "blocks.1.attention", head=2)
    readout = page.locator(".head .readout")
    for query, key in [(8, 0), (6, 4)]:
        cell(page, query, key)
        expect(readout).to_have_attribute("data-exact", re.compile(r"\d"), timeout=SECONDS)
        told = float(readout.get_attribute("data-exact"))
        assert told == pytest.approx(weights[query, key], rel=1e-5)
    q = sliced(server, "toy-llama", "blocks.1.q", head=2, query=6)
    k = sliced(server, "toy-llama", "blocks.1.k", head=1, key=4)
    numbers = page.locator(".look-line b .num")
    expect(numbers).to_have_count(2, timeout=SECONDS)
    sums = [float(one.get_attribute("title").replace("−", "-")) for one in numbers.all()]
    assert sums == pytest.approx([q @ k, q @ k / np.sqrt(len(q))], rel=1e-4, abs=1e-6)
    cell(page, 2, 6)
    expect(readout).to_contain_text("may not look at")
    expect(numbers).to_have_count(0)


@pytest.mark.parametrize("checkpoint", ["toy-llama", "toy-encoder"])
def test_the_arithmetic_of_a_look_is_that_of_the_formulas(open_page, server, checkpoint):
    page = open_page(lab(checkpoint, f"text={TEXT}&layer=1&head=3"))
    settled(page)
    cell(page, 7, 2)
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".scope-asked .q-key")).to_be_visible()
    settled(page)
    expect(page.locator(".scope .agree.not")).to_have_count(0)
    groups = 2 if checkpoint == "toy-llama" else 1
    q = sliced(server, checkpoint, "blocks.1.q", head=3, query=7)
    k = sliced(server, checkpoint, "blocks.1.k", head=3 // groups)
    scores = k @ q / np.sqrt(len(q))
    if checkpoint == "toy-llama":
        scores[8:] = -np.inf
    weights = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    told = [
        float(number.get_attribute("title").replace("−", "-"))
        for number in page.locator(".scope-equation .num").all()
    ]
    assert told[0] == pytest.approx(float(q @ k[2]), rel=1e-4, abs=1e-6)
    assert told[1] == pytest.approx(scores[2], rel=1e-4, abs=1e-6)
    assert told[-1] == pytest.approx(weights[2], rel=1e-4)
    page.get_by_role("spinbutton", name="unit", exact=True).fill("1")
    expect(page.locator(".scope-part.fit .scope-unit")).to_contain_text("=")
    z = page.evaluate("lab.microscope.look.z[1]")
    v = sliced(server, checkpoint, "blocks.1.v", head=3 // groups)
    assert z == pytest.approx(float((weights @ v)[1]), rel=1e-4, abs=1e-6)


def test_typing_reads_again_and_a_token_is_chosen_by_click_and_by_key(open_page, server):
    page = open_page(lab())
    settled(page)
    page.fill("#prompt", "abc")
    expect(page.locator(".tok")).to_have_count(3, timeout=SECONDS)
    settled(page)
    page.locator(".tok").nth(1).click()
    expect(page.locator(".tok").nth(1)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tok").nth(2)).to_have_attribute("aria-pressed", "true")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Home")
    expect(page.locator(".tok").first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("]")
    expect(page.locator("#head-title")).to_have_text("Layer 0, head 1")
    page.keyboard.press("}")
    expect(page.locator("#head-title")).to_have_text("Layer 1, head 1")
    expect(page).to_have_url(re.compile(r"text=abc&layer=1&head=1&query=0"))
    for busy in (True, False):  # a text that takes a while to read
        page.evaluate(f"lab.store.become({str(busy).lower()})")
        expect(page.locator("body.waits")).to_have_count(int(busy), timeout=SECONDS)
        expect(page.locator("#stage")).to_have_attribute("aria-busy", str(busy).lower())


def test_a_translator_shows_both_texts_and_the_look_across(open_page, server):
    page = open_page(lab("toy-transformer", ""))
    settled(page)
    read = {"text": "A dog runs on the beach.", "slices": []}
    url = f"{server}/api/checkpoints/toy-transformer/slices"
    answer = httpx2.post(url, json=read, timeout=60).json()
    lines = page.locator(".strip-line")
    expect(lines.first.locator(".tok")).to_have_count(len(answer["tokens"]))
    expect(lines.last.locator(".tok")).to_have_count(len(answer["target_tokens"]) + 1)
    weights = sliced(
        server, "toy-transformer", "decoder.blocks.0.cross.attention", read["text"], head=0
    )
    cell(page, 3, 2)
    readout = page.locator(".head .readout")
    expect(readout).to_have_attribute("data-exact", re.compile(r"\d"), timeout=SECONDS)
    told = float(readout.get_attribute("data-exact"))
    assert told == pytest.approx(weights[3, 2], rel=1e-5)
    page.get_by_role("tab", name="Encoder").click()
    settled(page)
    expect(page.locator(".scope .agree.not")).to_have_count(0)
    expect(page).to_have_url(re.compile("stack=encoder"))


def test_a_head_is_saved_with_the_numbers_of_the_network(open_page, server, tmp_path):
    page = open_page(lab(query=f"text={TEXT}&layer=1&head=1"))
    settled(page)
    with page.expect_download() as download:
        page.locator('[data-save="head"] button', has_text="CSV").click()
    path = tmp_path / "head.csv"
    download.value.save_as(path)
    assert download.value.suggested_filename == "toy-llama-blocks.1.attention-1.csv"
    with path.open(newline="") as file:
        head, *rows = list(csv.reader(file))
    assert "".join(head[2:]) == TEXT
    weights = sliced(server, "toy-llama", "blocks.1.attention", head=1)
    numbers = np.array([[float(value) for value in row[2:]] for row in rows])
    np.testing.assert_allclose(numbers, weights, atol=1e-7)


def test_a_telephone_has_the_whole_lab_without_scrolling_sideways(open_page):
    page = open_page(
        lab(query="text=ab ba cab abba", language="ru"),
        viewport={"width": 390, "height": 844},
        has_touch=True,
    )
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator(".arcs-drawing").bounding_box()
    assert box["y"] > page.locator(".matrix-cells").bounding_box()["y"]
    assert page.evaluate("lab.heads.cell") >= 22
    width = page.evaluate("""async () => {
      const { src } = document.querySelector("script[type=module][src*=transformer]");
      const { Rows } = await import(new URL("rows.js", src));
      const words = Array.from({ length: 512 }, (_, k) => `word${k}`);
      const room = { width: 358, room: 400, beside: false, scale: 1 };
      return new Rows({ queries: words, keys: words, ...room }).width;
    }""")
    assert width <= 362  # beside it are 16 px of margin
