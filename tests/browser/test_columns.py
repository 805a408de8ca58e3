"""The labs of other people's networks: a reader of lines, and a decoder that gets a state alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from models import lines
from models.kinds import open_checkpoint
from tests.browser.conftest import serve
from tests.toys.pictures import write_line_reader
from tests.toys.translators import write_handover

pytestmark = pytest.mark.browser
SECONDS = 60_000  # ms that a figure may take on a busy machine
READER, SPEAKER = "toy-lines", "toy-handover-gru"
TEXT = "a cab"
FLAWS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("strangers")
    write_line_reader(folder / READER, READER)
    write_handover(folder / SPEAKER, SPEAKER, ends=True)
    return folder


@pytest.fixture(scope="module")
def server(root: Path, folder: Path, tmp_path_factory) -> Iterator[str]:
    with serve(root, folder, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def opened(open_page, language: str = "en", **context) -> Page:
    state = quote(json.dumps({"text": TEXT}))
    page = open_page(f"/{language}/lab/{READER}?figure={state}", **context)
    page.wait_for_selector("figure.live.ready", timeout=SECONDS)
    return page


def values(page: Page) -> dict[str, float]:
    return page.evaluate("() => lesson.figures.get('figure').values()")


def test_the_columns_are_those_of_the_network_and_the_arrows_go_through_them(open_page, folder):
    page = opened(open_page)
    found = open_checkpoint(folder / READER).read(lines.draw(TEXT), [])
    told = values(page)
    assert told["columns"] == len(found.token_ids)
    assert told["characters"] == len(found.characters)
    expect(page.locator(".line-said")).to_contain_text(found.text.strip() or "nothing")
    slider = page.get_by_role("slider", name="What it says in every column")
    slider.focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    told = values(page)
    assert told["at"] == 1
    assert told["probability"] == pytest.approx(found.probabilities[1].max(), abs=1e-5)
    expect(page.locator(".columns-side h3")).to_have_text("column 1")
    page.keyboard.press("End")
    assert values(page)["at"] == len(found.token_ids) - 1
    assert page.locator(".map").count() == 4  # h of two layers, in both directions
    page.get_by_role("button", name="f: forget gate").click()
    expect(page.locator(".map")).to_have_count(8)


def test_a_picture_of_the_reader_s_own_is_read_on_a_phone(open_page, folder, tmp_path):
    page = opened(open_page, "ru", viewport={"width": 360, "height": 740})
    before = values(page)["columns"]
    image = lines.draw("a much longer bac").resize((420, 50))
    image.save(tmp_path / "line.png")
    page.locator("input[type=file]").set_input_files(tmp_path / "line.png")
    found = open_checkpoint(folder / READER).read(image, [])
    assert before != len(found.token_ids)
    page.wait_for_function(
        f"() => lesson.figures.get('figure').values().columns === {len(found.token_ids)}",
        timeout=SECONDS,
    )
    expect(page.locator(".network-main > .note").first).to_be_visible()  # it can be dragged
    assert page.evaluate(FLAWS) == 0


def test_what_cannot_be_drawn_is_said_and_does_not_stay(open_page, faults):
    faults.expect("422")
    page = opened(open_page)
    page.locator(".reading-desk input.text").fill("W" * 80)
    expect(page.locator(".desk-problem")).to_be_visible(timeout=SECONDS)
    page.locator(".reading-desk input.text").fill("cab")
    expect(page.locator(".desk-problem")).to_be_hidden(timeout=SECONDS)


def test_a_decoder_that_gets_a_state_alone_is_drawn_without_a_vector_and_without_arcs(open_page):
    page = open_page(f"/en/lab/{SPEAKER}?text=abba")
    graph = page.locator("#graph")
    expect(graph.locator(".sg-step").first).to_be_visible(timeout=SECONDS)
    assert graph.locator(".sg-source").count() == 5  # four letters and the end mark
    for gone in (".sg-box", ".sg-joint", ".sg-line.given-out", ".sg-line.joins"):
        assert graph.locator(gone).count() == 0
    expect(graph.locator(".sg-begin title").first).to_have_text(
        "the decoder’s first state is the encoder’s last"
    )
    expect(page.locator("#arithmetic")).to_contain_text("gets nothing else of what was read")
    assert page.evaluate(FLAWS) == 0
