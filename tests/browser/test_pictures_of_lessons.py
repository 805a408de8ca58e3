"""Lessons about pictures in a browser: every setting is found by a reader's own hands."""

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.browser.test_attention import SECONDS, figure, holds, values, wait

pytestmark = [pytest.mark.browser, pytest.mark.checkpoints]


def choose_cell(page: Page, id: str, row: int, column: int) -> None:
    """Click the middle of a cell of the photo."""
    canvas = page.locator(f"#{id} .stage-canvas")
    box = canvas.bounding_box()
    place = {"x": (column + 0.5) / 7 * box["width"], "y": (row + 0.5) / 7 * box["height"]}
    canvas.click(position=place)


def test_a_word_that_is_made_to_look_at_the_grass_is_likelier(open_page):
    page = figure(open_page, "captioning", "numbers")
    wait(page, "numbers", "v.words > 0 && v.probability > 0")
    assert not holds("captioning", "grass", values(page, "numbers"))
    page.locator("#numbers .caption-words button").filter(has_text="grass").click()
    choose_cell(page, "numbers", 5, 0)
    page.locator("#numbers .caption-numbers").get_by_role("button", name="Make it look").click()
    wait(page, "numbers", "v.forced === 1 && v.gain > 0")
    assert holds("captioning", "grass", values(page, "numbers"))


def test_draws_come_to_the_exact_gradient_and_a_baseline_makes_them_quieter(open_page):
    page = figure(open_page, "captioning", "choice")
    wait(page, "choice", "v.draws === 20")
    alpha, chances = np.array([0.4, 0.3, 0.15, 0.1, 0.05]), [0.6, 0.1, 0.2, 0.05, 0.05]
    rewards = np.log(chances)
    exact = alpha * (rewards - alpha @ rewards)

    def noise(baseline: float) -> float:
        """The root of the mean square distance of one draw, by its definition."""
        said = (rewards - baseline)[:, None] * (np.eye(5) - alpha)
        return float(np.sqrt(alpha @ ((said - exact) ** 2).sum(1)))

    for baseline in (-0.5, -1.6):
        page.locator("#choice input[type=range]").fill(str(baseline))
        found = values(page, "choice")
        assert found["noise"] == pytest.approx(noise(baseline), rel=1e-9)
        assert holds("captioning", "baseline", found) == (noise(baseline) < 0.65)
    page.locator("#choice").get_by_role("button", name="draw 1000").click()
    wait(page, "choice", "v.draws === 1020")
    found = values(page, "choice")
    assert found["distance"] < 4 * noise(-1.6) / 1020**0.5
    assert found["distance_without"] < 4 * noise(0) / 1020**0.5


@pytest.mark.parametrize(
    ("id", "exercise", "right", "wrong"),
    [
        ("hops", "moved", "what shape is over the black heart?", "is there a black ring?"),
        ("errors", "wrong", "how many shapes are in the picture?", "what is the red object?"),
    ],
)
def test_a_question_is_found_that_solves_the_exercise(open_page, id, exercise, right, wrong):
    page = figure(open_page, "visual-questions", id)
    wait(page, id, "v.probability > 0")
    for question, solves in ((wrong, False), (right, True)):
        page.locator(f"#{id} .ask-chip").filter(has_text=question).click()
        chosen = page.locator(f"#{id} .ask-chip[aria-pressed=true]").filter(has_text=question)
        chosen.wait_for(timeout=SECONDS)
        assert holds("visual-questions", exercise, values(page, id)) == solves


def test_shares_of_a_hop_are_those_of_the_measured_figures(open_page):
    page = figure(open_page, "visual-questions", "first")
    wait(page, "first", "v.probability > 0")
    found = values(page, "first")
    assert found["first"] > 0.95  # the heart
    assert found["last"] > 0.85  # then the square
    page.locator("#first input.text").fill("what is a unicorn?")
    page.locator("#first").get_by_role("button", name="Ask").click()
    page.locator("#first .ask-told").filter(has_text="unicorn").wait_for(timeout=SECONDS)
