"""The stage of the captioner's lab: its light, its cells and how much of it was looked at."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.backend.serving import decode
from tests.browser.caption.lab import (
    MOST,
    SECONDS,
    SIDE,
    asked,
    bare,
    corners,
    described,
    drag,
    file_of,
    gray,
    place,
    settled,
    strongest,
    word,
    written,
)
from tests.browser.caption.light import CLOSE, lit, middles, pixels, through


@pytest.mark.parametrize("way", ["smooth", "raw"])
def test_the_light_on_the_photo_is_the_attention_to_the_pixel(open_page, server, way):
    picture = gray(350, 210)
    page = described(open_page, picture, query=f"&light={way}")
    weights = decode(asked(server, picture)["attention"])
    for step in (0, MOST - 1):
        word(page, step).click()
        page.mouse.move(1, 1)
        page.evaluate("lab.region.clear()")
        seen = pixels(page)
        height, width = seen.shape[:2]
        share = weights[step] / weights[step].max()
        if way == "raw":  # below the number, beside the lines: each cell is of one colour
            rows, columns = middles(height) + height // 21, middles(width) - width // 21
            expected = lit(128, share)
            np.testing.assert_allclose(seen[np.ix_(rows, columns)], expected, atol=CLOSE)
            continue
        rows, columns = (np.arange(8, size - 8, 13) for size in (height, width))
        across = through(share.T, (columns + 0.5) * SIDE / width).T
        light = through(across, (rows + 0.5) * SIDE / height).clip(0, 1)
        expected = lit(128, light)
        peak = np.unravel_index(share.argmax(), share.shape)
        y, x = ((p + 0.5) * size / SIDE for p, size in zip(peak, (height, width), strict=True))
        clear = np.hypot(rows[:, None] - y, columns[None] - x) > 14  # the ring is drawn there
        np.testing.assert_allclose(seen[np.ix_(rows, columns)][clear], expected[clear], atol=CLOSE)


def test_pointing_at_a_cell_tells_the_weight_there_and_tints_the_words_by_theirs(open_page, server):
    picture = file_of(corners(), "PNG")
    page = described(open_page, picture)
    weights = decode(asked(server, picture)["attention"]).reshape(MOST, -1)
    word(page, 1).click()
    for cell in (0, 24, 45):
        page.mouse.move(*place(page, cell))
        told = page.locator("#stage-cell")
        name = "ABCDEFG"[cell % SIDE] + str(cell // SIDE + 1)
        expect(told).to_contain_text(name)
        assert float(told.get_attribute("title")) == pytest.approx(weights[1, cell], rel=1e-5)
        darkness = [
            -sum(map(int, re.findall(r"\d+", node.evaluate("(n) => n.style.background"))))
            for node in page.locator("#words .token").all()
        ]
        order = np.argsort(weights[:, cell])
        assert (np.diff(np.array(darkness)[order]) >= 0).all()


def test_pointing_at_a_picture_of_the_strip_lights_the_stage_for_its_word(open_page, server):
    picture = gray()
    page = described(open_page, picture)
    weights = decode(asked(server, picture)["attention"])
    tiles = page.locator(".frame")
    expect(tiles).to_have_count(MOST + 1)  # all words together, then each
    for step in (1, 4):
        tiles.nth(step + 1).hover()
        expect(page.locator("#stage-word")).to_have_text(written(page)[step])
        share = weights[step] / weights[step].max()
        seen = pixels(page)
        rows, columns = (middles(size) for size in seen.shape[:2])
        clear = share < 1
        expected = lit(128, share)
        np.testing.assert_allclose(seen[np.ix_(rows, columns)][clear], expected[clear], atol=CLOSE)
        small = pixels(page, f".frame >> nth={step + 1} >> canvas")
        rows, columns = (middles(size) for size in small.shape[:2])
        np.testing.assert_allclose(small[np.ix_(rows, columns)], expected, atol=2 * CLOSE)


def test_a_part_that_is_marked_tells_which_words_looked_there(open_page, server):
    picture = gray()
    page = described(open_page, picture)
    answer = asked(server, picture)
    word(page, 0).click()
    ring = strongest(answer, 0)
    start, end = (8, 24) if ring != 8 else (9, 24)
    drag(page, start, end)
    top, left = divmod(start, SIDE)
    bottom, right = divmod(end, SIDE)
    masses = decode(answer["attention"])[:, top : bottom + 1, left : right + 1].sum((1, 2))
    rows = page.locator(".region-words button")
    expect(rows).to_have_count(MOST)
    order = np.argsort(-masses, kind="stable")
    shown = [float(row.get_attribute("title")) for row in rows.all()]
    np.testing.assert_allclose(shown, masses[order], rtol=1e-5)
    rows.first.click()
    expect(word(page, int(order[0]))).to_have_attribute("aria-pressed", "true")
    page.wait_for_url(re.compile(r"cell="), timeout=3000) if "photo=" in page.url else None


def test_a_hard_network_looks_at_the_cells_that_its_seed_draws(open_page, server):
    picture = gray()
    page = described(open_page, picture, "toy-hard", "&seed=3")
    for seed in ("3", "4"):
        page.fill("#seed", seed)
        page.keyboard.press("Enter")
        answer = asked(server, picture, "toy-hard", seed=seed)
        expect(page.locator("#words")).to_have_text("".join(bare(answer)), timeout=SECONDS)
        settled(page)
        cells = [row * SIDE + column for row, column in answer["cells"]]
        assert page.evaluate("lab.run.target.map(({ looked }) => looked)") == cells
        word(page, 0).click()
        seen = pixels(page)
        rows, columns = (middles(size) for size in seen.shape[:2])
        lights = seen[np.ix_(rows, columns)].mean(-1).reshape(-1)
        others = np.delete(lights, cells[0])
        assert others.max() - others.min() < CLOSE  # all in the same shade
        expect(page.locator(".agree.not")).to_have_count(0)


def test_a_network_without_attention_says_so_and_lights_nothing(open_page, server):
    picture = gray()
    page = described(open_page, picture, "toy-blind")
    expect(page.locator(".stage-figure")).to_contain_text("no attention")
    expect(page.locator(".film-figure")).to_have_count(0)
    assert np.ptp(pixels(page)) == 0
    values = decode(asked(server, picture, "toy-blind")["points"]["context"]["data"])
    shown = page.locator(".terms .num").last.get_attribute("title")
    assert abs(float(shown.replace("−", "-"))) <= np.abs(values).max() * (1 + 1e-6)


def test_how_much_was_looked_at_is_the_sum_over_all_words(open_page, server):
    picture = gray()
    page = described(open_page, picture)
    sums = decode(asked(server, picture)["attention"]).sum(0).reshape(-1)
    cells = page.locator(".coverage-map span")
    shown = [float(cell.get_attribute("title").partition(": ")[2]) for cell in cells.all()]
    np.testing.assert_allclose(shown, sums, rtol=1e-5)
    even = sums / sums.sum()
    spread = float(np.exp(-(even * np.log(even)).sum())) / len(sums)
    told = page.locator(".coverage-number b").inner_text()
    assert float(told.rstrip("%")) == pytest.approx(100 * spread, abs=0.6)
