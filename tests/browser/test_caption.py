"""The captioner's lab, used as a person uses it; its light is computed again with numpy."""

import base64
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.backend.serving import decode
from tests.browser.conftest import serve
from tests.toys.pictures import write_captioner

pytestmark = pytest.mark.browser
SECONDS = 30_000  # ms that a caption may take on a busy machine
MOST = 6  # words: the toys seldom end by themselves
SIDE = 7  # cells of the grid
DEPTH, SHADE = 0.74, (19, 9, 46)  # of the light, as it is described
CLOSE = 4  # of 255: a canvas of 8 bits, scaled once
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory) -> Iterator[str]:
    """A server of toys that describe pictures."""
    folder = tmp_path_factory.mktemp("captioners")
    for id in ("toy-soft", "toy-hard", "toy-blind"):
        write_captioner(folder / id, id)
    with serve(root, folder, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def lab(checkpoint: str = "toy-soft", query: str = "", language: str = "en") -> str:
    return f"/{language}/lab/{checkpoint}?most={MOST}&pace=0{query}"


def file_of(image: Image.Image, format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def gray(width: int = 300, height: int = 200, level: int = 128) -> bytes:
    """A picture of one colour: what is seen on it is the light alone."""
    return file_of(Image.new("RGB", (width, height), (level,) * 3), "PNG")


def corners() -> Image.Image:
    """Four colours, wider than high."""
    image = Image.new("RGB", (320, 160))
    for k, colour in enumerate(["red", "lime", "blue", "white"]):
        image.paste(colour, (160 * (k % 2), 80 * (k // 2), 160 * (k % 2) + 160, 80 * (k // 2) + 80))
    return image


def give(page: Page, data: bytes, name: str = "own.png", type: str = "image/png") -> None:
    page.set_input_files("#file", {"name": name, "mimeType": type, "buffer": data})


def settled(page: Page, words: int = MOST) -> None:
    """Wait until a caption is whole and the network rests."""
    expect(page.locator("#words .token")).to_have_count(words, timeout=SECONDS)
    expect(page.locator("body")).not_to_have_class(re.compile("busy"), timeout=SECONDS)
    expect(page.locator("#live")).to_contain_text("aption", timeout=SECONDS)


def given(page: Page, data: bytes, name: str = "own.png", type: str = "image/png") -> None:
    """Give a picture and wait for its caption."""
    page.evaluate("document.querySelector('#live').textContent = ''")
    give(page, data, name, type)
    expect(page.locator(".photo.own")).to_have_attribute("aria-pressed", "true", timeout=SECONDS)
    settled(page)


def asked(server: str, picture: bytes, checkpoint: str = "toy-soft", **query) -> dict:
    """The same from the API, whole."""
    answer = httpx2.post(
        f"{server}/api/checkpoints/{checkpoint}/caption",
        params={"max_new_tokens": MOST, **query},
        content=picture,
        headers={"Content-Type": "image/png"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def written(page: Page) -> list[str]:
    return page.locator("#words .token").all_text_contents()


def bare(answer: dict) -> list[str]:
    return [token.strip() for token in answer["tokens"]]


def pixels(page: Page, selector: str = ".stage-canvas") -> np.ndarray:
    """What a canvas shows, (height, width, 3), once its light has come to rest."""
    page.wait_for_timeout(400)
    found = page.locator(selector).first.evaluate(
        """(canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            let text = "";
            for (let k = 0; k < data.length; k += 32768)
                text += String.fromCharCode(...data.subarray(k, k + 32768));
            return [width, height, btoa(text)];
        }"""
    )
    width, height, data = found
    raw = np.frombuffer(base64.b64decode(data), np.uint8)
    return raw.reshape(height, width, 4)[:, :, :3].astype(float)


def lit(level: float, share: np.ndarray) -> np.ndarray:
    """The colour of a gray picture where a weight is this share of the largest, (..., 3)."""
    shade = DEPTH * (1 - np.asarray(share))[..., None]
    return level * (1 - shade) + np.array(SHADE) * shade


def through(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Catmull and Rom's spline through values at 0.5, 1.5, ...; the ends go on as they are."""
    at = places - 0.5
    left = np.floor(at).astype(int)
    t = at - left
    basis = [
        -0.5 * t**3 + t**2 - 0.5 * t,
        1.5 * t**3 - 2.5 * t**2 + 1,
        -1.5 * t**3 + 2 * t**2 + 0.5 * t,
        0.5 * t**3 - 0.5 * t**2,
    ]
    taken = [values[np.clip(left + k - 1, 0, len(values) - 1)] for k in range(4)]
    return sum(w * v.T for w, v in zip(basis, taken, strict=True)).T


def middles(size: int) -> np.ndarray:
    """The pixels in the middle of the cells along a side of `size`."""
    return ((np.arange(SIDE) + 0.5) * size / SIDE).astype(int)


def word(page: Page, step: int) -> Locator:
    return page.locator("#words .token").nth(step)


def place(page: Page, cell: int) -> tuple[float, float]:
    """The middle of a cell of the stage, on the page."""
    box = page.locator(".stage-canvas").bounding_box()
    row, column = divmod(cell, SIDE)
    return (
        box["x"] + (column + 0.5) * box["width"] / SIDE,
        box["y"] + (row + 0.5) * box["height"] / SIDE,
    )


def drag(page: Page, start: int, end: int) -> None:
    page.locator(".stage-canvas").scroll_into_view_if_needed()
    page.mouse.move(*place(page, start))
    page.mouse.down()
    page.mouse.move(*place(page, (start + end) // 2), steps=3)
    page.mouse.move(*place(page, end), steps=4)
    page.mouse.up()


def strongest(answer: dict, step: int) -> int:
    return int(decode(answer["attention"])[step].argmax())


def test_a_photo_of_ones_own_is_described_in_the_words_that_the_network_writes(open_page, server):
    page = open_page(lab())
    settled(page)
    picture = gray()
    given(page, picture)
    answer = asked(server, picture)
    assert written(page) == bare(answer)
    expect(page.locator("#live")).to_contain_text(answer["text"])
    expect(page.locator("#credit")).to_contain_text("not in the address")
    assert "photo=" not in page.url


@pytest.mark.parametrize("way", ["smooth", "raw"])
def test_the_light_on_the_photo_is_the_attention_to_the_pixel(open_page, server, way):
    page = open_page(lab(query=f"&light={way}"))
    settled(page)
    picture = gray(350, 210)
    given(page, picture)
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


# How the camera was held -> the colours of the corners once the picture is upright.
HELD = dict(enumerate(["RGBW", "GRWB", "WBGR", "BWRG", "RBGW", "BRWG", "WGBR", "GWRB"], 1))
COLOURS = {"R": (255, 0, 0), "G": (0, 255, 0), "B": (0, 0, 255), "W": (255, 255, 255)}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_photo_of_a_turned_camera_is_upright_as_the_network_saw_it(open_page, server, format):
    page = open_page(lab("toy-blind"))  # which lights nothing: the photo alone is seen
    settled(page)
    for held, upright in HELD.items():
        exif = Image.Exif()
        exif[0x0112] = held
        picture = file_of(corners(), format, exif=exif, quality=95)
        given(page, picture, f"turned-{held}", f"image/{format.lower()}")
        seen = pixels(page)
        height, width = seen.shape[:2]
        told = asked(server, picture, "toy-blind")["image"]
        assert (told["width"], told["height"]) == ((320, 160) if held < 5 else (160, 320))
        assert width / height == pytest.approx(told["width"] / told["height"], rel=0.02)
        rows, columns = ([size // 4, 3 * size // 4] for size in (height, width))
        quarters = seen[np.ix_(rows, columns)].reshape(4, 3)
        expected = [COLOURS[colour] for colour in upright]
        np.testing.assert_allclose(quarters, expected, atol=25, err_msg=f"held {held}")


def test_what_is_transparent_is_white_as_it_is_for_the_network(open_page):
    clear = Image.new("RGBA", (140, 140), (255, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 70, 140))
    page = open_page(lab("toy-blind"))
    settled(page)
    given(page, file_of(clear, "PNG"))
    seen = pixels(page)
    middle = seen.shape[0] // 2
    np.testing.assert_allclose(seen[middle, 20], (0, 0, 255), atol=2)
    np.testing.assert_allclose(seen[middle, -20], (255, 255, 255), atol=2)


def test_of_an_animation_the_first_picture_is_shown_and_described(open_page, server):
    frames = [Image.new("RGB", (120, 90), colour) for colour in ("red", "blue")]
    picture = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    page = open_page(lab("toy-blind"))
    settled(page)
    given(page, picture, "two.gif", "image/gif")
    np.testing.assert_allclose(pixels(page)[20, 20], (255, 0, 0), atol=2)
    still = file_of(frames[0], "PNG")
    assert written(page) == bare(asked(server, still, "toy-blind"))


def test_pointing_at_a_cell_tells_the_weight_there_and_tints_the_words_by_theirs(open_page, server):
    page = open_page(lab())
    settled(page)
    picture = file_of(corners(), "PNG")
    given(page, picture)
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
    page = open_page(lab())
    settled(page)
    picture = gray()
    given(page, picture)
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
    page = open_page(lab())
    settled(page)
    picture = gray()
    given(page, picture)
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


def test_a_word_whose_gaze_is_dragged_elsewhere_is_written_anew_beside_what_it_was(
    open_page, server
):
    page = open_page(lab())
    settled(page)
    picture = file_of(corners(), "PNG")  # whose cells differ
    given(page, picture)
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
    page = open_page(lab())
    settled(page)
    picture = file_of(corners(), "PNG")  # whose cells differ
    given(page, picture)
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
    page = open_page(lab())
    settled(page)
    picture = gray()
    given(page, picture)
    answer = asked(server, picture)
    word(page, 3).click()
    page.locator("#step-panel .candidate").nth(1).click()
    ids = [*answer["token_ids"][:3], answer["top"][3][1]["token_id"]]
    longer = asked(server, picture, prefix=",".join(map(str, ids)))
    settled(page, len(longer["tokens"]))
    assert written(page) == bare(longer)
    expect(page.locator("#words .given")).to_have_count(1)


def test_the_arithmetic_of_a_cell_is_that_of_the_network(open_page, server):
    page = open_page(lab())
    settled(page)
    picture = gray()
    given(page, picture)
    page.evaluate("lab.link.choose(2, 11)")
    expect(page.locator(".asked")).to_contain_text("E2")
    expect(page.locator(".agree")).to_have_count(3)
    expect(page.locator(".agree.not")).to_have_count(0)
    answer = asked(server, picture)
    told = decode(answer["points"]["attention.energy"]["data"])[2].reshape(-1)[11]
    energy = page.locator(".terms").first.locator("tr:last-child .num").last.get_attribute("title")
    assert float(energy.replace("−", "-")) == pytest.approx(told, rel=1e-4)


def test_a_hard_network_looks_at_the_cells_that_its_seed_draws(open_page, server):
    page = open_page(lab("toy-hard", "&seed=3"))
    settled(page)
    picture = gray()
    given(page, picture)
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
    page = open_page(lab("toy-blind"))
    settled(page)
    picture = gray()
    given(page, picture)
    expect(page.locator(".stage-figure")).to_contain_text("no attention")
    expect(page.locator(".film-figure")).to_have_count(0)
    assert np.ptp(pixels(page)) == 0
    values = decode(asked(server, picture, "toy-blind")["points"]["context"]["data"])
    shown = page.locator(".terms .num").last.get_attribute("title")
    assert abs(float(shown.replace("−", "-"))) <= np.abs(values).max() * (1 + 1e-6)


def test_how_much_was_looked_at_is_the_sum_over_all_words(open_page, server):
    page = open_page(lab())
    settled(page)
    picture = gray()
    given(page, picture)
    sums = decode(asked(server, picture)["attention"]).sum(0).reshape(-1)
    cells = page.locator(".coverage-map span")
    shown = [float(cell.get_attribute("title").partition(": ")[2]) for cell in cells.all()]
    np.testing.assert_allclose(shown, sums, rtol=1e-5)
    even = sums / sums.sum()
    spread = float(np.exp(-(even * np.log(even)).sum())) / len(sums)
    told = page.locator(".coverage-number b").inner_text()
    assert float(told.rstrip("%")) == pytest.approx(100 * spread, abs=0.6)


def test_a_search_is_drawn_and_another_hypothesis_is_read(open_page, server):
    page = open_page(lab(query="&beam=3"))
    settled(page)
    picture = gray()
    given(page, picture)
    found = asked(server, picture, beam_size=3)
    assert written(page) == bare(found)
    expect(page.locator(".bt-node.winner")).to_have_count(len(found["tokens"]))
    page.locator(".bt-take").nth(1).click()
    second = "".join(token.strip() for token in found["hypotheses"][1]["tokens"])
    expect(page.locator("#words")).to_have_text(re.compile(f"^{second}"), timeout=SECONDS)


def test_how_far_to_trust_the_words_is_told_with_the_shares(open_page, server):
    page = open_page(lab())
    settled(page)
    picture = gray()
    given(page, picture)
    answer = asked(server, picture)
    common, sure = (answer[name]["share"] for name in ("familiarity", "confidence"))
    lines = page.locator(".trust-line")
    for line, share in zip(lines.all(), (common, sure), strict=True):
        numbers = [int(n) for n in re.findall(r"(\d+)%", line.inner_text())]
        kept = [max(1, min(99, round(100 * one))) for one in (share, 1 - share)]
        assert set(kept) & set(numbers), (line.inner_text(), share)


def test_the_address_brings_back_what_was_chosen(open_page):
    page = open_page(lab(query="&photo=cat"))
    settled(page)
    page.evaluate("lab.steering.look(1, 20)")
    expect(page.locator(".edit")).to_have_count(1, timeout=SECONDS)
    settled(page)
    page.evaluate("lab.region.set(8, 24)")
    page.select_option("#light", "raw")
    page.wait_for_url(re.compile("(?=.*force=1-20)(?=.*cell=1-20)(?=.*region=8-24)(?=.*light=raw)"))
    text, told = written(page), page.locator(".region-words").inner_text()
    again = open_page(page.url)
    settled(again)
    assert written(again) == text
    expect(again.locator(".edit")).to_have_count(1)
    expect(again.locator(".region-words")).to_have_text(re.compile(".+"))
    assert again.locator(".region-words").inner_text() == told
    expect(again.locator("[data-photo=cat]")).to_have_attribute("aria-pressed", "true")


def test_a_picture_that_the_server_has_forgotten_is_sent_once_more(open_page, server, faults):
    faults.expect("404")
    page = open_page(lab())
    settled(page)
    picture = gray(level=90)
    given(page, picture)
    sent = []
    page.on("request", lambda request: sent.append(request) if "/caption" in request.url else None)
    for key, bodies in [(None, [False]), ("0" * 64, [False, True])]:
        sent.clear()
        if key:
            page.evaluate("(key) => (lab.desk.subject.key = key)", key)
        page.evaluate("document.querySelector('#live').textContent = ''")
        page.locator("#describe").click()
        settled(page)
        assert [int(r.header_value("content-length") or 0) > 0 for r in sent] == bodies
    assert written(page) == bare(asked(server, picture))


BROKEN = [
    (b"just a text", "notes.txt", "text/plain", "no photo that can be read"),
    (gray()[:60], "half.png", "image/png", "broken"),
    (b"\0" * ((16 << 20) + 1), "huge.jpg", "image/jpeg", "too large"),
    (b"ftypheic", "phone.heic", "image/heic", "no photo that can be read"),
]


@pytest.mark.parametrize(("data", "name", "type", "told"), BROKEN)
def test_what_is_no_photo_is_refused_and_nothing_is_lost(open_page, data, name, type, told):
    page = open_page(lab(query="&photo=cat"))
    settled(page)
    before = written(page)
    give(page, data, name, type)
    expect(page.locator("#problem")).to_contain_text(told)
    assert written(page) == before
    expect(page.locator("[data-photo=cat]")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-photo=coffee]").click()
    expect(page.locator("#problem")).to_be_hidden()


def test_words_of_another_photo_stand_back_until_the_new_ones_come(open_page):
    page = open_page(lab(query="&photo=cat"))
    settled(page)
    page.route("**/caption?*", lambda route: None)  # never answered
    page.locator("[data-photo=coffee]").click()
    expect(page.locator("body")).to_have_class(re.compile("of-another"))
    expect(page.locator("#text-note")).to_contain_text("on its way")
    page.locator("#stop").click()
    page.unroute("**/caption?*")
    page.locator("#describe").click()
    settled(page)
    expect(page.locator("body")).not_to_have_class(re.compile("of-another"))


def test_a_photo_that_is_dropped_on_the_page_is_described(open_page, server):
    page = open_page(lab())
    settled(page)
    picture = gray(200, 300, 60)
    page.evaluate("document.querySelector('#live').textContent = ''")
    page.evaluate(
        """([bytes]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], "drop.png", { type: "image/png" }));
            const how = { dataTransfer: carried, bubbles: true, cancelable: true };
            for (const type of ["dragenter", "dragover", "drop"])
                document.body.dispatchEvent(new DragEvent(type, how));
        }""",
        [list(picture)],
    )
    expect(page.locator(".photo.own")).to_have_attribute("aria-pressed", "true", timeout=SECONDS)
    settled(page)
    assert written(page) == bare(asked(server, picture))
    expect(page.locator("#drop-veil")).to_be_hidden()


def test_without_a_connection_what_is_on_the_page_stays_until_another_try(open_page, faults):
    faults.expect("ERR_INTERNET_DISCONNECTED")
    page = open_page(lab())
    settled(page)
    before = written(page)
    page.context.set_offline(True)
    page.locator("#describe").click()
    expect(page.locator("#problem")).to_contain_text("connection is lost")
    assert written(page) == before
    page.context.set_offline(False)
    page.locator("#problem .button").click()
    settled(page)
    expect(page.locator("#problem")).to_be_hidden()


def saved(page: Page, what: str, kind: str) -> Path:
    with page.expect_download() as waiting:
        page.locator(f"[data-save={what}] button", has_text=kind).click()
    return waiting.value.path()


def test_every_figure_is_saved_with_its_numbers_or_its_picture(open_page, server):
    page = open_page(lab())
    settled(page)
    picture = gray()
    given(page, picture)
    weights = decode(asked(server, picture)["attention"])
    rows = list(csv.DictReader(saved(page, "film", "CSV").read_text("utf-8").splitlines()))
    shown = np.array([float(row["attention"]) for row in rows]).reshape(weights.shape)
    np.testing.assert_allclose(shown, weights, rtol=1e-6)
    for what in ("stage", "film", "coverage", "text"):
        assert saved(page, what, "PNG").read_bytes().startswith(b"\x89PNG"), what
    drawing = saved(page, "film", "SVG").read_text("utf-8")
    assert drawing.count("<image") == MOST + 1
    assert all(f">{token}<" in drawing for token in written(page))


@pytest.mark.parametrize("checkpoint", ["toy-soft", "toy-hard", "toy-blind"])
def test_a_telephone_shows_the_page_without_scrolling_sideways(open_page, checkpoint):
    page = open_page(lab(checkpoint, language="ru"), **PHONE, color_scheme="dark")
    settled_ru = page.locator("#words .token")
    expect(settled_ru).to_have_count(MOST, timeout=SECONDS)
    expect(page.locator("#camera")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("#describe")).to_contain_text("Описать")


def test_a_word_that_is_stopped_at_says_so_and_keeps_what_there_is(open_page):
    page = open_page(lab().replace("pace=0", "pace=1"))
    expect(page.locator("#words .token")).to_have_count(1, timeout=SECONDS)
    page.keyboard.press("Space")
    expect(page.locator("#text-note")).to_contain_text("Stopped")
    assert 0 < page.locator("#words .token").count() < MOST
