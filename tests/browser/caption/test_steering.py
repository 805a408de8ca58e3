"""Captions that a person steers: the gaze, the words and the search."""

import re

import pytest
from playwright.sync_api import expect

from tests.backend.serving import decode
from tests.browser.caption.lab import (
    SECONDS,
    SIDE,
    asked,
    bare,
    corners,
    described,
    drag,
    file_of,
    gray,
    settled,
    strongest,
    word,
    written,
)


def test_a_word_whose_gaze_is_dragged_elsewhere_is_written_anew_beside_what_it_was(
    open_page, server
):
    picture = file_of(corners(), "PNG")  # whose cells differ
    page = described(open_page, picture)
    before, answer = written(page), asked(server, picture)
    word(page, 2).click()
    ring = strongest(answer, 2)
    goal = next(
        cell
        for cell in (3, 17, 30, 45, 10, 38)
        if cell != ring
        and bare(asked(server, picture, force=f"2,{cell // SIDE},{cell % SIDE}"))[2:] != before[2:]
    )
    drag(page, ring, goal)
    expect(page.locator(".edit")).to_have_count(1, timeout=SECONDS)
    settled(page)
    forced = asked(server, picture, force=f"2,{goal // SIDE},{goal % SIDE}")
    assert written(page) == bare(forced)
    assert written(page)[:2] == before[:2]
    expect(page.locator(".former-text")).to_have_text(answer["text"])
    expect(page.locator(".former-text del")).not_to_have_count(0)
    page.keyboard.press("u")
    expect(page.locator("#choices")).to_be_hidden()
    settled(page)
    assert written(page) == before


def test_the_gaze_is_turned_with_the_keys_alone(open_page, server):
    picture = file_of(corners(), "PNG")  # whose cells differ
    page = described(open_page, picture)
    ring = strongest(asked(server, picture), 1)
    word(page, 1).focus()
    page.keyboard.press("Enter")
    page.locator(".stage-canvas").focus()
    by, key = (1, "ArrowRight") if ring % SIDE < SIDE - 1 else (-1, "ArrowLeft")
    page.evaluate("lab.region.clear()")
    page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.locator(".edit")).to_have_count(1, timeout=SECONDS)
    settled(page)
    row, column = divmod(ring + by, SIDE)
    assert written(page) == bare(asked(server, picture, force=f"1,{row},{column}"))
    page.keyboard.press("Delete")
    expect(page.locator("#choices")).to_be_hidden()


def test_another_word_is_taken_and_the_caption_goes_on_from_it(open_page, server):
    picture = gray()
    page = described(open_page, picture)
    answer = asked(server, picture)
    word(page, 3).click()
    page.locator("#step-panel .candidate").nth(1).click()
    ids = [*answer["token_ids"][:3], answer["top"][3][1]["token_id"]]
    longer = asked(server, picture, prefix=",".join(map(str, ids)))
    settled(page, len(longer["tokens"]))
    assert written(page) == bare(longer)
    expect(page.locator("#words .given")).to_have_count(1)


def test_the_arithmetic_of_a_cell_is_that_of_the_network(open_page, server):
    picture = gray()
    page = described(open_page, picture)
    page.evaluate("lab.link.choose(2, 11)")
    expect(page.locator(".asked")).to_contain_text("E2")
    expect(page.locator(".agree")).to_have_count(3)
    expect(page.locator(".agree.not")).to_have_count(0)
    answer = asked(server, picture)
    told = decode(answer["points"]["attention.energy"]["data"])[2].reshape(-1)[11]
    energy = page.locator(".terms").first.locator("tr:last-child .num").last.get_attribute("title")
    assert float(energy.replace("−", "-")) == pytest.approx(told, rel=1e-4)


def test_a_search_is_drawn_and_another_hypothesis_is_read(open_page, server):
    picture = gray()
    page = described(open_page, picture, query="&beam=3")
    found = asked(server, picture, beam_size=3)
    assert written(page) == bare(found)
    expect(page.locator(".bt-node.winner")).to_have_count(len(found["tokens"]))
    page.locator(".bt-take").nth(1).click()
    second = "".join(token.strip() for token in found["hypotheses"][1]["tokens"])
    expect(page.locator("#words")).to_have_text(re.compile(f"^{second}"), timeout=SECONDS)
