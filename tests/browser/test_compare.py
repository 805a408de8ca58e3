"""One text through several networks: what is drawn is what each says, and where they differ."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.backend.serving import decode
from tests.browser.conftest import serve
from tests.toys import CONFIGS, write_toy
from tests.toys.characters import write_convolution, write_ngram
from tests.toys.transformers import LANGUAGE_MODELS, write_language_model

pytestmark = pytest.mark.browser
SECONDS = 60_000  # ms that a figure may take on a busy machine
TEXT = "abba fade bead\ndeaf abba cab"
NAMES = ["toy-conv", "toy-gpt", "toy-gru", "toy-ngram"]


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("readers")
    write_toy(folder / "toy-gru", CONFIGS["toy-gru"])
    write_toy(folder / "toy-other", CONFIGS["toy-rnn"], symbols=sorted("abcdef \n?"))
    write_convolution(folder / "toy-conv", "toy-conv")
    write_language_model(folder / "toy-gpt", LANGUAGE_MODELS["toy-gpt"])
    write_ngram(folder / "toy-ngram")
    with serve(root, folder, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def opened(open_page, text: str = TEXT, names=NAMES, language: str = "en", **state) -> Page:
    query = urlencode({"text": text, "with": ",".join(names)} | state)
    page = open_page(f"/{language}/compare?{query}")
    page.wait_for_function(
        "(n) => globalThis.page?.runs?.filter((one) => one.reading).length === n",
        arg=len(names),
        timeout=SECONDS,
    )
    return page


def values(page: Page) -> dict:
    return page.evaluate("() => page.values()")


def given(page: Page, id: str, text: str = TEXT) -> np.ndarray:
    """Bits of each character but the first, by the API."""
    body = {"text": text, "points": []}
    told = page.request.post(f"/api/checkpoints/{id}/trace", data=body).json()
    return -np.log2(decode(told["probability"])[1:].astype(np.float64))


def place(page: Page, id: str) -> int:
    """Which of the rows is a network's."""
    return page.evaluate("() => page.runs.map(({ network }) => network.id)").index(id)


def test_a_text_that_is_typed_is_drawn_with_what_every_network_says_at_each_character(open_page):
    page = opened(open_page, "ab", language="ru")
    page.locator("#text").fill(TEXT)
    page.wait_for_function(
        "(text) => page.state.text === text && page.able.length === 4", arg=TEXT, timeout=SECONDS
    )
    told = values(page)
    for id in NAMES:
        bits = given(page, id)
        assert told["means"][id] == pytest.approx(bits.mean(), abs=1e-4)
        row = page.locator("#summary tbody tr").nth(place(page, id))
        expect(row).to_contain_text(f"{bits.mean():.2f}")
        cells = page.locator(".cells-block").first.locator(".cells-row").nth(1 + place(page, id))
        expect(cells.locator("[data-t='7']")).to_have_attribute(
            "title", re.compile(rf"\b{bits[6]:.2f} бит")
        )
    # the character that is looked at, and what was likeliest there
    page.locator(".cells-block").first.locator("[data-t='9']").first.click()
    body = {"text": TEXT, "points": []}
    trace = page.request.post("/api/checkpoints/toy-gru/trace", data=body).json()
    bits = given(page, "toy-gru")
    one = page.locator("#character .sbs-one").nth(place(page, "toy-gru"))
    expect(one).to_contain_text(f"{bits[8]:.2f} бит")
    expect(one.locator(".sbs-top b").first).to_have_text(mark(trace["next"]["tokens"][8][0]))
    page.locator("#rows [role=slider]").focus()
    page.keyboard.press("ArrowRight")
    assert values(page)["at"] == 10
    expect(one).to_contain_text(f"{bits[9]:.2f} бит")
    # the same numbers as a table, and as a file
    page.get_by_text("Все числа таблицей").click()
    expect(page.locator("#numbers tbody tr").nth(5)).to_contain_text(f"{bits[4]:.2f}")
    with page.expect_download() as saved:
        page.locator(".rows-figure").get_by_role("button", name="CSV").click()
    with Path(saved.value.path()).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    column = header.index("toy-gru bits")
    assert [float(row[column]) for row in rows[1:]] == pytest.approx(bits.tolist(), abs=1e-4)


def mark(character: str) -> str:
    return {" ": "␣", "\n": "↵"}.get(character, character)


def test_the_difference_is_that_of_two_surprises_and_memory_ends_at_the_mean(open_page):
    page = opened(open_page, a="toy-ngram", b="toy-gru", given=0)
    told = values(page)
    assert told["pair"] == ["toy-ngram", "toy-gru"]
    expected = given(page, "toy-ngram") - given(page, "toy-gru")
    assert told["difference"][1:] == pytest.approx(expected, abs=1e-4)
    places = page.evaluate("() => page.difference.places")
    sums = [abs(place["sum"]) for place in places]
    assert sums == sorted(sums, reverse=True)
    first = places[0]
    inside = expected[first["from"] - 1 : first["to"] - 1]
    assert first["sum"] == pytest.approx(inside.sum(), abs=1e-3)
    page.locator(".sbs-places button").first.click()
    assert values(page)["at"] == first["at"]
    # how much of the text each needs
    page.locator("#memory").scroll_into_view_if_needed()
    page.wait_for_function("() => page.runs.every((one) => one.memory)", timeout=SECONDS)
    told = values(page)
    assert told["lengths"] == [1, 2, 3, 4, 5, 6, 8, 12, 16, 24, len(TEXT) - 1]
    for id in NAMES:
        assert told["memory"][id][-1] == pytest.approx(told["means"][id], abs=1e-6)
        short = -np.log2(context(page, id, [2, 5])[:, 1:])
        found = [told["memory"][id][k] for k in (1, 4)]
        assert found == pytest.approx(short.mean(1).tolist(), abs=1e-4)
    counts = told["memory"]["toy-ngram"]  # of up to four characters, the next among them
    assert counts[3:] == pytest.approx([counts[2]] * len(counts[3:]), abs=1e-5)
    assert counts[0] != pytest.approx(counts[2], abs=1e-3)
    # a network with little of the text against itself with all of it
    page.get_by_label("The first of the two").select_option("toy-gru")
    page.get_by_label("How much of the text the first is given").select_option("2")
    short = -np.log2(context(page, "toy-gru", [2])[0, 1:])
    expected = short - given(page, "toy-gru")
    assert values(page)["difference"][1:] == pytest.approx(expected, abs=1e-4)


def context(page: Page, id: str, lengths: list[int]) -> np.ndarray:
    body = {"text": TEXT, "lengths": lengths}
    answer = page.request.post(f"/api/checkpoints/{id}/context", data=body).json()
    return decode(answer["probability"]).astype(np.float64)


def test_what_one_network_cannot_read_is_said_of_it_and_the_others_are_shown(open_page, faults):
    faults.expect("422")
    page = opened(open_page, "abba?fade", [*NAMES[:2], "toy-other"])
    rows = page.locator("#summary tbody tr")
    for id in NAMES[:2]:
        expect(rows.nth(place(page, id))).to_contain_text("“?” at 4")
    bits = given(page, "toy-other", "abba?fade")
    assert values(page)["means"] == {"toy-other": pytest.approx(bits.mean(), abs=1e-4)}
    area = page.get_by_label("The text that is read")
    area.fill("ab" * 201)
    expect(page.locator("#text-problem")).to_contain_text("at most 400 characters: take 2 away")
    assert area.input_value() == "ab" * 201
    assert page.evaluate("() => page.state.text") == "abba?fade"


def test_a_network_writes_a_text_with_a_seed_and_the_address_brings_it_back(open_page):
    page = opened(open_page, names=["toy-gru", "toy-ngram"])
    page.get_by_label("Network that writes").select_option("toy-gru")
    page.get_by_role("button", name="write one now").click()
    page.wait_for_function("() => page.state.text.startsWith('ab') && page.state.text.length > 100")
    text = page.evaluate("() => page.state.text")
    page.wait_for_function("() => page.able.length === 2", timeout=SECONDS)
    page.wait_for_function(
        "(text) => new URLSearchParams(location.search).get('text') === text", arg=text
    )
    again = open_page(page.url.partition(page.evaluate("() => location.origin"))[2])
    again.wait_for_function("() => globalThis.page?.able?.length === 2", timeout=SECONDS)
    assert again.evaluate("() => page.state.text") == text
    assert values(again)["means"] == pytest.approx(values(page)["means"], abs=1e-9)
