"""The captioner's lab as a person uses it, and the same answers from the API."""

import io
import re

import httpx2
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.backend.serving import decode

SECONDS = 30_000  # ms that a caption may take on a busy machine
MOST = 6  # words: the toys seldom end by themselves
SIDE = 7  # cells of the grid


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


def described(open_page, picture: bytes, *args, **query) -> Page:
    """Open a lab, as `lab` is told to, give it a picture and wait for its caption."""
    page = open_page(lab(*args, **query))
    settled(page)
    given(page, picture)
    return page


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
