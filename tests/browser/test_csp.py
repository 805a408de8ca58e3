"""No page runs what it was told to show, in Chromium: networks, addresses, names of files and
pictures that are made of HTML; and no page asks for what its own policy forbids.

Where such a text became part of a page, one of three things would show: an element that the text
describes, a script that ran, or a script that the policy held back and told of.
"""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from backend.app import create_app
from backend.settings import Settings
from models.subwords import words
from tests import toys
from tests.backend.walk import pages
from tests.browser.conftest import serve
from tests.toys import characters, labels, numbers, pictures, transformers, translators

PAYLOADS = (
    '<img src=x onerror="window.ran=1">',
    '"><svg onload=window.ran=1>',
    "</script><script>window.ran=1</script>",
    "javascript:window.ran=1",
    "<a href=javascript:window.ran=1>a</a>",
    "'-window.ran=1-'",
    "{{7*7}}${7*7}",
)
ALL = " ".join(PAYLOADS)
MARKDOWN = "[x](javascript:window.ran=1) ![y](x onerror=window.ran=1) <style>*{color:red}</style>"
# Every name that an address of some page knows, in both forms of a state; any other is ignored.
NAMES = ("prefix", "text", "with", "unit", "layer", "head", "picks", "force", "cell", "map", "off",
         "order", "target", "ask", "lens", "writing", "table", "view", "left", "right")  # fmt: skip
WATCH = """
window.held = [];
document.addEventListener("securitypolicyviolation", (one) =>
  window.held.push([one.violatedDirective, one.blockedURI, one.sourceFile, one.sample].join(" ")));
"""
LOOK = """() => {
  const leads = ["href", "src", "action", "formaction", "xlink:href"];
  const runs = (one) => one.name.startsWith("on")
    || (leads.includes(one.name) && /^\\s*javascript:/i.test(one.value));
  const script = (node) => node.localName === "script" && node.type !== "application/json"
    && node.textContent.trim() !== "";
  const made = [...document.querySelectorAll("*")].filter((node) =>
    [...node.attributes].some(runs) || node.getAttribute("src") === "x" || script(node));
  return { ran: window.ran ?? 0, held: window.held, made: made.map((node) => node.outerHTML) };
}"""
pytestmark = pytest.mark.browser


def dress(folder: Path) -> None:
    """Let a checkpoint say of itself nothing but what would do harm."""
    path = folder / "config.json"
    about = json.loads(path.read_text("utf-8"))
    for name in ("title", "licence", "language", "source_language", "target_language"):
        if name in about:
            about[name] = ALL
    about["data"] = {ALL: ALL}
    about["examples"] = list(PAYLOADS)
    if about["kind"] in ("seq2seq", "transformer_seq2seq"):
        about["prompt"] = PAYLOADS[0]
    path.write_text(json.dumps(about), "utf-8")
    (folder / "README.md").write_text(
        f"# {ALL}\n\n{ALL}\n\n{MARKDOWN}\n\n```\n{ALL}\n```\n", "utf-8"
    )


def write_hostile(folder: Path, monkeypatch) -> list[str]:
    """Write a network of each kind whose tokens, labels and words are made of HTML; their names."""
    letters = sorted(set("".join(PAYLOADS)))
    several = [*PAYLOADS, *labels.LANGUAGES][:6]
    monkeypatch.setattr(translators, "ENGLISH", PAYLOADS)
    monkeypatch.setattr(translators, "FRENCH", PAYLOADS)
    monkeypatch.setattr(pictures, "SEES", words((ALL, ALL), 1))
    monkeypatch.setattr(labels, "WORDS", ["<unk>", *several][: len(labels.WORDS)])
    toys.write_toy(folder / "toy-gru", toys.CONFIGS["toy-gru"], letters)
    transformers.write_language_model(
        folder / "toy-gpt", transformers.LANGUAGE_MODELS["toy-gpt"], letters
    )
    transformers.write_encoder(folder / "toy-encoder", symbols=letters)
    translators.write_translator(folder / "toy-additive", "toy-additive")
    pictures.write_captioner(folder / "toy-soft", "toy-soft")
    numbers.write_forecaster(folder / "toy-forecast-gru", "toy-forecast-gru")
    characters.write_convolution(folder / "toy-conv", "toy-conv")
    for name in ("toy-both-ways", "toy-tagger"):
        labels.write_labeller(folder / name, (labels.CLASSIFIERS | labels.TAGGERS)[name])
    names = sorted(path.name for path in folder.iterdir())
    for name in names:
        dress(folder / name)
    return names


@pytest.fixture(scope="module")
def hostile(root: Path, tmp_path_factory) -> Iterator[tuple[str, list[str]]]:
    """The address of a server of such networks, and their names."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as monkeypatch:
        names = write_hostile(folder, monkeypatch)
    with serve(root, folder, tmp_path_factory.mktemp("log") / "log.txt") as address:
        yield address, names


@pytest.fixture(scope="module")
def visit(browser: Browser, hostile) -> Iterator[Callable[[str], Page]]:
    """visit(path): a page at this path once it rests, which did no harm on the way."""
    context = browser.new_context(base_url=hostile[0], viewport={"width": 1280, "height": 800})
    context.add_init_script(WATCH)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.dismiss())

    def visit(path: str) -> Page:
        page.goto(path)
        rest(page)
        assert_harmless(page, path)
        return page

    yield visit
    context.close()


def rest(page: Page) -> None:
    page.wait_for_load_state("load")
    page.locator("body:not(.busy)").wait_for(state="attached")
    page.wait_for_timeout(150)


def assert_harmless(page: Page, where: str) -> None:
    found = page.evaluate(LOOK)
    assert found == {"ran": 0, "held": [], "made": []}, (where, found)


def addresses(names: list[str]) -> list[str]:
    """Every page in English: of labs all, of lessons and of what each checkpoint has beside its lab
    a few. New routes are among them by themselves."""
    every = pages(create_app(Settings()), names, ["en"])
    labs = [page for page in every if "/lab/" in page]
    lessons = [page for page in every if "/lessons/" in page]
    beside = [p for p in every if p.endswith(tuple(names[1:])) and p not in labs]
    return [page for page in every if page not in lessons + beside] + lessons[::8]


def test_no_page_runs_or_asks_for_what_its_policy_forbids(visit, hostile):
    for path in addresses(hostile[1]):
        visit(path)


def test_no_state_in_an_address_becomes_part_of_a_page(visit):
    query = "&".join(f"{name}={quote(PAYLOADS[0])}" for name in NAMES)
    for path in addresses(["toy-gpt", "toy-gru", "toy-additive", "toy-soft"]):
        if "/lab/" in path or path.endswith(("toy-gpt", "caption", "compare", "steps")):
            visit(f"{path}?{query}#{quote(PAYLOADS[1])}")
    for path in ("/en/", "/ru/lab/", "/en/lessons/"):
        visit(f"{path}{quote(ALL, safe='')}")


def test_what_a_network_writes_is_text(visit):
    page = visit(f"/en/lab/toy-gru?prefix={quote(PAYLOADS[0])}&n=20&seed=1")
    read = page.locator("#reading [data-t]")
    read.nth(len(PAYLOADS[0]) + 10).wait_for()
    assert "".join(read.all_text_contents()).startswith(PAYLOADS[0].replace(" ", "")[:4])
    assert_harmless(page, "writing")


def test_an_error_that_tells_a_text_back_is_text(visit):
    page = visit(f"/en/lab/toy-gru?prefix={quote('Ω<img src=x onerror=window.ran=1>')}")
    page.locator("#problem").wait_for()
    assert_harmless(page, "error")


def test_the_name_of_a_picture_is_text(visit):
    page = visit("/en/lab/toy-soft")
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(stream, "png")
    for name in ('<img src=x onerror="window.ran=1">.png', '"><svg onload=window.ran=1>.png'):
        file = {"name": name, "mimeType": "image/png", "buffer": stream.getvalue()}
        page.locator("input[type=file]").first.set_input_files(file)
        rest(page)
        assert_harmless(page, name)
    page.locator("input[type=file]").first.set_input_files(
        {"name": PAYLOADS[0], "mimeType": "image/png", "buffer": b"<svg onload='window.ran=1'/>"}
    )
    rest(page)
    assert_harmless(page, "no picture")


def test_a_text_that_became_part_of_a_page_would_be_found(visit):
    page = visit("/en/")
    page.evaluate("(html) => { document.querySelector('main').innerHTML = html }", PAYLOADS[0])
    page.wait_for_timeout(100)
    found = page.evaluate(LOOK)
    assert found["made"]
    assert found["held"]
    assert found["ran"] == 0  # the policy holds it back all the same
