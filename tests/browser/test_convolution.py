"""The lab of a convolutional network: the tree of what a node sees, coloured by real numbers."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import torch
from playwright.sync_api import Page, expect

from tests.browser.conftest import serve
from tests.toys import SYMBOLS
from tests.toys.characters import CONVOLUTIONS, write_convolution

pytestmark = pytest.mark.browser
SECONDS = 60_000  # ms that a figure may take on a busy machine
NAME = "toy-conv"
TEXT = "abba cd fade bead"
NETWORKS = {}


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("convolutions")
    NETWORKS[NAME] = write_convolution(folder / NAME, NAME)
    with serve(root, folder, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def opened(open_page, language: str = "en", options: dict | None = None, **context) -> Page:
    state = quote(json.dumps({"text": TEXT} | (options or {})))
    page = open_page(f"/{language}/lab/{NAME}?figure={state}", **context)
    page.wait_for_selector("figure.live.ready", timeout=SECONDS)
    return page


def values(page: Page) -> dict[str, float]:
    return page.evaluate("() => lesson.figures.get('figure').values()")


def numbers() -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Points (T, units) and probabilities (T, V) of TEXT."""
    found = {}
    tokens = torch.tensor([[SYMBOLS.index(c) for c in TEXT]])
    logits = NETWORKS[NAME].logits(tokens, found.__setitem__)[0]
    return {name: value[0] for name, value in found.items()}, logits.softmax(-1)


def test_the_numbers_are_those_of_the_network_and_follow_the_keys(open_page):
    page = opened(open_page, options={"quantity": "candidate", "of": "unit", "unit": 2})
    points, after = numbers()
    last = len(TEXT) - 1
    field = CONVOLUTIONS[NAME].receptive_field
    told = values(page)
    assert (told["at"], told["layer"], told["field"], told["seen"]) == (last, 0, field, field)
    assert told["value"] == pytest.approx(points["blocks.2.candidate"][last, 2].item(), abs=1e-5)
    assert told["probability"] == pytest.approx(after[last].max().item(), abs=1e-5)
    canvas = page.get_by_role("slider", name="The layers over the text")
    canvas.focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    told = values(page)
    # The second layer from below: 1 + 2 * (1 + 2) places, of which the text has three.
    assert (told["at"], told["layer"], told["field"], told["seen"]) == (2, 2, 7, 3)
    assert told["value"] == pytest.approx(points["blocks.1.candidate"][2, 2].item(), abs=1e-5)
    expect(page.locator(".conv-text .seen")).to_have_count(3)
    page.wait_for_function("() => location.search.includes('layer')")


def test_a_mean_of_gates_and_the_choice_of_colour_are_those_of_the_network(open_page):
    page = opened(open_page, options={"at": 9, "layer": 1})
    points, _ = numbers()
    page.get_by_label("quantity", exact=True).select_option("gate")
    page.get_by_label("of which units").select_option("mean")
    page.wait_for_function("() => lesson.figures.get('figure').view.found.range === 'unit'")
    expected = points["blocks.0.gate"][9].mean().item()
    assert values(page)["value"] == pytest.approx(expected, abs=1e-5)
    assert values(page)["field"] == 3


def test_what_comes_next_is_told_with_what_came(open_page):
    page = opened(open_page, options={"at": 3})
    _, after = numbers()
    shares = page.locator(".conv-next li .num:last-child")
    expect(shares).to_have_count(5)
    titles = [float(share.get_attribute("title")) for share in shares.all()]
    assert titles == pytest.approx(after[3].topk(5).values.tolist(), abs=1e-5)
    expect(page.locator(".conv-next")).to_contain_text("space came")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_network_writes_on_and_nothing_is_too_wide_on_a_phone(open_page, language):
    page = opened(open_page, language, viewport={"width": 360, "height": 740})
    page.locator(".conv-controls button").click()
    page.wait_for_function(
        "n => lesson.figures.get('figure').view.found.tokens.length === n", arg=len(TEXT) + 40
    )
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
