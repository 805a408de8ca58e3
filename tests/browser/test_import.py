"""A checkpoint of one's own, brought as a person does: what is drawn is what torch computes."""

import re
from collections.abc import Iterator

import pytest
import torch
from playwright.sync_api import Page, expect

from tests.backend.bringing import SYMBOLS, Hostile, Letters, saved
from tests.browser.test_lab import microscope, open_unit, settled

pytestmark = pytest.mark.browser
SECONDS = 30_000  # ms that reading and loading a file may take on a busy machine
TEXT = "abc fed bad"


def choose(page: Page, raw: bytes, name: str = "my model.pt") -> None:
    """Choose a file by the button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file").click()
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": raw}
    chooser.value.set_files([file])


DROP = """([bytes, name]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(bytes)], name));
    const zone = document.querySelector("[data-part=zone]");
    for (const type of ["dragenter", "dragover", "drop"])
        zone.dispatchEvent(new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""  # noqa: E501


@pytest.fixture
def deleting(open_page) -> Iterator[list[str]]:
    """Imports to be deleted at the end, so that other tests find the server as it was."""
    ids: list[str] = []
    yield ids
    page = open_page(None)
    for id in ids:
        page.request.delete(f"/api/checkpoints/{id}")


def imported(page: Page, deleting: list[str]) -> str:
    """The id of the import that the address names, once its report is there."""
    expect(page.locator("#report-title")).to_be_visible(timeout=SECONDS)
    id = re.search(r"import=(import-[0-9a-f]{12})", page.url).group(1)
    deleting.append(id)
    return id


def test_a_file_is_dropped_asked_for_its_symbols_and_opened_in_the_lab(open_page, deleting, faults):
    faults.expect("422")  # an answer that is refused
    network = Letters(seed=21)
    page = open_page("/en/checkpoints")
    page.evaluate(DROP, [list(saved(network.state_dict())), "my model.pt"])
    id = imported(page, deleting)
    expect(page.locator("#report-title")).to_be_focused()
    title = f"LSTM network, 2 layers of 6 units, {len(SYMBOLS)} symbols"
    expect(page.locator("#report-title")).to_have_text(title)
    expect(page.locator(".report")).to_contain_text("every layer gives what torch's own fused")
    field, count = page.locator("#answer-vocabulary"), page.locator(".count")
    send = page.get_by_role("button", name="Use these answers")
    expect(send).to_be_disabled()
    field.fill("abc")
    expect(count).to_have_text(f"3 of {len(SYMBOLS)}")
    send.click()
    expect(page.get_by_role("alert").filter(has_text="are needed")).to_be_visible()
    expect(field).to_have_value("abc")
    page.reload()
    expect(field).to_have_value("abc")
    field.fill(repr(SYMBOLS))
    expect(count).to_have_text(f"{len(SYMBOLS)} of {len(SYMBOLS)}")
    page.get_by_label("What it is called here").fill("Mine")
    send.click()
    expect(page.locator(".verdict")).to_have_text("Understood, and ready", timeout=SECONDS)
    expect(page.locator("#catalogue")).to_contain_text("Mine")
    page.get_by_role("link", name="Open in the lab").click()

    page.goto(f"/en/lab/{id}?prefix={TEXT}&n=0&at=5")
    settled(page)
    page.locator("#reading [data-t='5']").click()
    open_unit(page, 3, 1)
    x = network.emb(torch.tensor([SYMBOLS.index(c) for c in TEXT]))[:, None]
    h, _ = network.lstm(x)
    assert microscope(page)["ht"] == pytest.approx(h[5, 0, 3].item(), abs=1e-5)


def test_names_of_a_stranger_are_text_and_a_program_is_refused(open_page, deleting, faults):
    faults.expect("422")
    page = open_page("/en/checkpoints")
    page.on("dialog", lambda dialog: pytest.fail("a stranger's name ran"))
    evil = "<img src=x onerror=alert(1)>"
    state = {
        name.replace("lstm", f"{evil}\u05d0"): value
        for name, value in Letters(22).state_dict().items()
    }
    choose(page, saved(state), f"{evil}\u202egnp.pt")
    imported(page, deleting)
    expect(page.locator(".report-file")).to_contain_text(f"{evil}gnp.pt")
    expect(page.locator(".names").first).to_contain_text(evil)
    assert page.locator("main img").count() == 0
    choose(page, saved({"a": Hostile("true")}), "evil.pt")
    problem = page.locator("[data-part=problem]")
    expect(problem).to_contain_text("would run code", timeout=SECONDS)
    expect(page.locator(".report-file")).to_contain_text(evil)  # what was there stays


def test_an_import_is_deleted_after_a_question_and_the_page_forgets_it(open_page, deleting):
    page = open_page("/en/checkpoints")
    choose(page, saved(Letters(23).state_dict()))
    imported(page, deleting)
    page.get_by_role("button", name="Delete").press("Enter")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete it for good").press("Enter")
    expect(page.locator(".report")).to_have_count(0)
    assert "import=" not in page.url
    deleting.clear()


def test_the_report_fits_every_page(open_page, deleting):
    page = open_page("/en/checkpoints")
    page.evaluate(DROP, [list(saved(Letters(24).state_dict())), "x" * 119 + ".pt"])
    id = imported(page, deleting)
    for language, width in (("en", 390), ("ru", 390), ("ru", 1366)):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"/{language}/checkpoints?import={id}")
        expect(page.locator("#report-title")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


PASTED = [
    ('["a", "b", "\\n"]', 3, ["a", "b", "\n"]),
    ("['a', '\\'', \"b\", '\\x41',]", 4, ["a", "'", "b", "A"]),
    ("{'b': 1, 'a': 0}", 2, ["a", "b"]),
    ("{0: 'a', 1: 'b'}", 2, ["a", "b"]),
    ('{"1": 0, "2": 1}', 2, ["1", "2"]),
    ("cat\ndog\n", 2, ["cat", "dog"]),
    ("cat, dog", 2, ["cat", "dog"]),
    ("hello", 5, list("hello")),
    ("hello world", 8, sorted(set("hello world"))),
    ("\n ab", 4, ["\n", " ", "a", "b"]),
    ("😀a", 2, ["😀", "a"]),
    ("[1, 2.5]", 2, ["1", "2.5"]),
    ("['a', 'b'", 3, None),  # no list, however it is read
]


def test_what_is_pasted_is_read_as_the_list_that_it_is(open_page):
    page = open_page("/en/checkpoints")
    found = page.evaluate(
        """async (pasted) => {
            const script = document.querySelector("script[src$='importing/page.js']").src;
            const { best, readings } = await import(script.replace("page.js", "symbols.js"));
            return pasted.map(([text, size]) => {
                const { symbols } = best(readings(text), size);
                return symbols.length === size ? symbols : null;
            });
        }""",
        [[text, size] for text, size, _ in PASTED],
    )
    assert found == [expected for *_, expected in PASTED]
