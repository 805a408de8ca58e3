"""Photos that are given to the captioner's lab: shown as the network saw them, or refused."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.caption.lab import (
    SECONDS,
    asked,
    bare,
    corners,
    described,
    file_of,
    give,
    given,
    gray,
    lab,
    settled,
    written,
)
from tests.browser.caption.light import pixels


def test_a_photo_of_ones_own_is_described_in_the_words_that_the_network_writes(open_page, server):
    picture = gray()
    page = described(open_page, picture)
    answer = asked(server, picture)
    assert written(page) == bare(answer)
    expect(page.locator("#live")).to_contain_text(answer["text"])
    expect(page.locator("#credit")).to_contain_text("not in the address")
    assert "photo=" not in page.url


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


def test_a_picture_that_the_server_has_forgotten_is_sent_once_more(open_page, server, faults):
    faults.expect("404")
    picture = gray(level=90)
    page = described(open_page, picture)
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
