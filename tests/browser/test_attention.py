"""Figures of attention in a browser: their numbers are the network's, their settings are found."""

from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page

from backend.i18n import LANGUAGES
from backend.lessons import lesson
from models.checkpoint import read_checkpoint
from models.edits import Edits
from models.kinds import build
from models.slicing import Slice

pytestmark = [pytest.mark.browser, pytest.mark.checkpoints]
SECONDS = 60_000  # ms that a figure may take on a busy machine
ROOT = Path(__file__).resolve().parents[2]


def figure(open_page, slug: str, id: str) -> Page:
    page = open_page(f"/en/lessons/{slug}")
    page.wait_for_function("() => globalThis.lesson", timeout=SECONDS)
    page.evaluate(f"lesson.figures.get('{id}').open()")
    return page


def values(page: Page, id: str) -> dict:
    return page.evaluate(f"lesson.figures.get('{id}').values()")


def wait(page: Page, id: str, condition: str) -> None:
    """Until the numbers `v` of a figure fulfil a condition."""
    page.wait_for_function(
        f"() => ((v) => {condition})(lesson.figures.get('{id}').values())", timeout=SECONDS
    )


def holds(slug: str, id: str, found: dict) -> bool:
    """Whether the numbers of a figure solve an exercise, the same in both languages."""
    both = [one for x in LANGUAGES for one in lesson(slug, x).exercises if one.id == id]
    answers = {one.right(found[one.about["value"]]) for one in both}
    assert len(both) == len(LANGUAGES)
    assert len(answers) == 1
    return answers.pop()


def test_the_matrices_hold_the_networks_numbers_and_their_settings_are_found(open_page):
    runner = build(read_checkpoint(ROOT / "checkpoints" / "translate-en-fr-transformer"))
    source = runner.read("A black dog is running on the beach.")
    *_, written = runner.translate(source, max_new_tokens=20, points=[])
    reading = runner.reading(source.ids, Edits(), tuple(written.token_ids))
    part = "decoder.blocks.1.cross"
    weights = torch.tensor(reading.slice(Slice(f"{part}.attention", {"head": 1})).data)
    heads = torch.tensor(reading.slice(Slice(f"{part}.heads", {"head": 1})).data)

    page = figure(open_page, "attention-layer", "layer")
    found = values(page, "layer")
    assert (found["T"], found["S"], found["d"]) == (*weights.shape, heads.shape[1])
    # Sums in another order than torch's, of float32.
    assert found["weight"] == pytest.approx(weights[2, 1].item(), abs=1e-5)
    assert found["output"] == pytest.approx(heads[2, 0].item(), abs=1e-4)
    assert found["sharp"] == pytest.approx(weights.max(1).values.mean().item(), abs=1e-5)

    assert not holds("attention-layer", "undecided", found)
    page.locator("#layer select").nth(0).select_option("0")
    wait(page, "layer", f"v.weight !== {found['weight']}")
    page.locator("#layer select").nth(1).select_option("4")
    assert holds("attention-layer", "undecided", values(page, "layer"))

    page.evaluate("lesson.figures.get('root').open()")
    assert not holds("attention-layer", "without", values(page, "root"))
    page.locator("#root input[type=checkbox]").uncheck()
    assert holds("attention-layer", "without", values(page, "root"))


def test_words_are_swapped_by_two_clicks_and_without_positions_nothing_moves(open_page):
    page = figure(open_page, "self-attention", "swapped")
    assert values(page, "swapped")["displaced"] == 2
    assert values(page, "swapped")["moved"] > 0.5
    words = page.locator("#swapped .self-word")
    words.nth(0).click()
    words.nth(3).click()
    wait(page, "swapped", "v.displaced === 4")
    assert not holds("self-attention", "still", values(page, "swapped"))
    page.locator("#swapped input[type=checkbox]").uncheck()
    wait(page, "swapped", "v.moved < 1e-4")
    assert holds("self-attention", "still", values(page, "swapped"))


def test_without_its_mask_a_row_looks_ahead_and_one_head_looks_one_back(open_page):
    page = figure(open_page, "self-attention", "mask")
    masked = values(page, "mask")
    assert masked["weight"] == pytest.approx(0.996, abs=0.001)  # from "a" to the "b" before it
    page.locator("#mask input[type=checkbox]").nth(1).uncheck()
    assert values(page, "mask")["weight"] == pytest.approx(masked["weight"] / 2, abs=0.001)

    page.evaluate("lesson.figures.get('heads').open()")
    assert not holds("self-attention", "before", values(page, "heads"))
    page.locator("#heads .self-head").nth(0).click()
    assert holds("self-attention", "before", values(page, "heads"))
