"""Questions about pictures, asked as a person asks them."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.backend.serving import decode
from tests.browser.conftest import serve
from tests.toys.pictures import write_answerer, write_captioner

pytestmark = pytest.mark.browser
SECONDS = 30_000  # ms that an answer may take on a busy machine


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory) -> Iterator[str]:
    """A server of a toy that answers, and of one that describes."""
    folder = tmp_path_factory.mktemp("answerers")
    write_answerer(folder / "toy-shapes")
    write_captioner(folder / "toy-soft", "toy-soft")
    with serve(root, folder, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def asked(server: str, seed: int, question: str) -> dict:
    """The same from the API."""
    scene = httpx2.get(f"{server}/api/scenes/{seed}.png").content
    answer = httpx2.post(
        f"{server}/api/checkpoints/toy-shapes/answer",
        files={"image": ("scene.png", scene, "image/png")},
        data={"question": question},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(page: Page) -> list[tuple[str, float]]:
    rows = page.locator(".answers li")
    expect(rows.first).to_be_visible(timeout=SECONDS)
    return [
        (row.locator("b").inner_text(), float(row.get_attribute("title"))) for row in rows.all()
    ]


def check(page: Page, answer: dict) -> None:
    """What the page tells is what the API answers."""
    expect(page.locator(".answers b").first).to_have_text(answer["answers"][0], timeout=SECONDS)
    shown = told(page)
    assert [name for name, _ in shown] == answer["answers"][: len(shown)]
    probabilities = decode(answer["probabilities"])[: len(shown)]
    np.testing.assert_allclose([p for _, p in shown], probabilities, rtol=1e-6)
    attention = decode(answer["attention"])
    hops = page.locator(".hop figcaption").all_inner_texts()
    counted = float(decode(answer["points"]["counter"]["data"]).sum())
    assert float(re.findall(r"[\d.]+", hops.pop())[0]) == pytest.approx(counted, rel=0.005)
    assert len(hops) == len(attention)
    for text, weights in zip(hops, attention, strict=True):
        row, column = divmod(int(weights.argmax()), weights.shape[1])
        assert f"{chr(65 + column)}{row + 1}" in text


def test_a_suggested_question_is_answered_with_where_each_hop_looked(open_page, server):
    page = open_page("/en/lab/toy-shapes?scene=4")
    suggested = page.locator(".suggested button")
    expect(suggested.first).to_be_visible(timeout=SECONDS)
    questions = httpx2.get(f"{server}/api/scenes/4").json()["questions"]
    assert suggested.all_inner_texts() == [q["question"] for q in questions[: suggested.count()]]
    suggested.nth(1).click()
    answer = asked(server, 4, questions[1]["question"])
    check(page, answer)
    right = answer["answers"][0] == questions[1]["answer"]
    line = "That is right." if right else questions[1]["answer"]
    expect(page.locator(".answer-line")).to_contain_text(line)


def test_an_answer_is_saved_with_its_numbers_and_its_pictures(open_page, server):
    page = open_page("/en/lab/toy-shapes?scene=4&ask=what+colour+is+the+star?")
    expect(page.locator(".answers li").first).to_be_visible(timeout=SECONDS)
    answer = asked(server, 4, "what colour is the star?")
    rows = list(csv.DictReader(saved(page, "CSV").read_text("utf-8").splitlines()))
    said = {row["answer"]: float(row["probability"]) for row in rows if row["answer"]}
    np.testing.assert_allclose(
        [said[text] for text in answer["answers"]], decode(answer["probabilities"]), rtol=1e-6
    )
    weights = np.array([float(row["weight"]) for row in rows if row["weight"]])
    lights = [decode(answer["attention"]), decode(answer["points"]["counter"]["data"])]
    np.testing.assert_allclose(weights, np.concatenate([x.ravel() for x in lights]), rtol=1e-6)
    assert saved(page, "SVG").read_text("utf-8").count("<image") == len(lights[0]) + 1
    assert saved(page, "PNG").read_bytes().startswith(b"\x89PNG")


def saved(page: Page, kind: str) -> Path:
    with page.expect_download() as waiting:
        page.locator("[data-save=question] button", has_text=kind).click()
    return waiting.value.path()


def test_the_address_brings_back_the_scene_and_the_question(open_page, server):
    page = open_page("/en/lab/toy-shapes")
    expect(page.locator(".suggested button").first).to_be_visible(timeout=SECONDS)
    page.locator(".scene").nth(2).click()
    expect(page.locator(".scene").nth(2)).to_have_attribute("aria-pressed", "true")
    page.fill("#question", "how many unicorns are there?")
    page.keyboard.press("Enter")
    check(page, asked(server, 3, "how many unicorns are there?"))
    expect(page.locator(".answer-line")).to_contain_text("unicorns")  # a word it does not know
    page.wait_for_url(re.compile("(?=.*scene=3)(?=.*ask=how)"))
    before = told(page)
    again = open_page(page.url)
    assert told(again) == before


def test_under_a_caption_the_photo_of_the_page_can_be_asked_about(open_page, server):
    page = open_page("/ru/caption?most=5&pace=0")
    expect(page.locator("#words .token")).to_have_count(5, timeout=SECONDS)
    page.locator(".question-figure").scroll_into_view_if_needed()
    expect(page.locator(".suggested button").first).to_be_visible(timeout=SECONDS)
    page.locator("[data-scene=photo]").click()
    expect(page.locator(".suggested button")).to_have_count(0)
    page.fill("#question", "what colour is the star?")
    page.keyboard.press("Enter")
    assert len(told(page)) > 1
    page.wait_for_timeout(400)
    assert "ask=" not in page.url


def test_an_empty_question_is_not_asked(open_page):
    page = open_page("/en/lab/toy-shapes")
    expect(page.locator(".suggested button").first).to_be_visible(timeout=SECONDS)
    page.fill("#question", " ")
    page.keyboard.press("Enter")
    expect(page.locator("#question")).to_be_focused()
    expect(page.locator(".answers li")).to_have_count(0)
