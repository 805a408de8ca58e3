"""The lab, used as a person uses it: what is drawn is compared with what plain torch computes."""

import json
import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from safetensors.torch import load_file

from tests.oracle import by_hand

SHAKESPEARE = "shakespeare-lstm"
pytestmark = pytest.mark.browser
SECONDS = 30_000  # ms that a generation may take on a busy machine


def lab(query: str = "", checkpoint: str = SHAKESPEARE, language: str = "en") -> str:
    return f"/{language}/lab/{checkpoint}{query}"


def settled(page: Page) -> None:
    """Wait until nothing is being read or written."""
    expect(page.locator("body")).not_to_have_class(re.compile("busy"), timeout=SECONDS)
    expect(page.locator("#write")).to_be_visible(timeout=SECONDS)


def text_of(page: Page) -> str:
    """The text as it is on the page; a line break is drawn as an arrow."""
    marks = page.locator("#reading [data-t]").all_text_contents()
    return "".join("\n" if mark == "↵" else mark for mark in marks)


def written(page: Page, length: int) -> str:
    """The text once it has `length` characters and the network rests."""
    expect(page.locator("#reading [data-t]")).to_have_count(length, timeout=SECONDS)
    settled(page)
    return text_of(page)


def read_weights(root: Path, checkpoint: str) -> tuple[dict, list[str], str]:
    """A checkpoint's raw tensors, its symbols and its cell, past all code of ours."""
    folder = root / "checkpoints" / checkpoint
    symbols = json.loads((folder / "vocabulary.json").read_text("utf-8"))
    cell = json.loads((folder / "config.json").read_text("utf-8"))["config"]["cell"]
    weights = {
        name: value.float() for name, value in load_file(folder / "model.safetensors").items()
    }
    return weights, symbols, cell


def number(text: str) -> float:
    """A number as the page writes it."""
    return float(text.replace("−", "-"))


def microscope(page: Page) -> dict[str, float]:
    """The numbers of the equations by the symbols above them, from their full values."""
    found = page.locator("#microscope .formula").evaluate_all(
        """(formulas) => formulas.flatMap((formula) => {
            const at = (row) => Object.fromEntries([...formula.children]
                .filter((node) => node.style.gridRow === row)
                .map((node) => [node.style.gridColumn, node]));
            const symbols = at("1"), numbers = at("2");
            return Object.keys(numbers).filter((k) => numbers[k].title)
                .map((k) => [symbols[k].textContent, numbers[k].title]);
        })"""
    )
    return {symbol: number(value) for symbol, value in found}


def open_unit(page: Page, unit: int, layer: int) -> None:
    """Choose a unit in the microscope's fields."""
    page.locator("#microscope select").select_option(str(layer))
    field = page.locator("#microscope input")
    field.fill(str(unit))
    field.press("Enter")
    field.blur()


def test_typing_a_prefix_and_pressing_write_streams_characters(open_page):
    page = open_page(lab())
    page.locator("#prompt").fill("To be, or ")
    page.locator("#length").fill("40")
    page.locator("#write").click()
    text = written(page, 50)
    assert text.startswith("To be, or ")
    expect(page.locator("#step-panel h2")).to_have_text("step 49")


def test_the_same_address_shows_the_same_text_again(open_page):
    page = open_page(lab("?prefix=To+be,+or+&seed=11&n=60&temperature=0.9"))
    first = written(page, 70)
    page.wait_for_timeout(400)  # the address is written a moment later
    again = open_page(page.url)
    assert written(again, 70) == first


def test_the_text_is_what_the_api_writes_with_the_same_seed(open_page):
    page = open_page(lab("?prefix=To+be,+or+&seed=5&n=30"))
    text = written(page, 40)
    answer = page.request.post(
        f"/api/checkpoints/{SHAKESPEARE}/generate",
        data={"prefix": "To be, or ", "seed": 5, "max_new_tokens": 30, "points": []},
    )
    done = json.loads(re.search(r"event: done\ndata: (.*)", answer.text()).group(1))
    assert done["text"] == text


@pytest.mark.parametrize(("unit", "layer", "at"), [(117, 1, 14), (0, 0, 0), (255, 1, 3)])
def test_the_microscope_shows_what_plain_torch_computes_for_an_lstm(
    open_page, root, unit, layer, at
):
    page = open_page(lab("?prefix=To+be,+or+&seed=7&n=20"))
    text = written(page, 30)
    page.locator(f"#reading [data-t='{at}']").click()
    open_unit(page, unit, layer)
    weights, symbols, cell = read_weights(root, SHAKESPEARE)
    points, _ = by_hand(cell, weights, [symbols.index(character) for character in text])
    shown = microscope(page)
    expected = {letter: points[f"rnn.{layer}.{letter}"][at, unit].item() for letter in "hcifgo"}
    before = points[f"rnn.{layer}.c"][at - 1, unit].item() if at else 0.0
    for letter in "hifgo":
        assert shown[f"{letter}t"] == pytest.approx(expected[letter], abs=1e-5)
    assert shown["ct"] == pytest.approx(expected["c"], abs=1e-5)
    assert shown["ct−1"] == pytest.approx(before, abs=1e-5)
    # and the equations hold between the numbers on the page
    assert shown["ct"] == pytest.approx(
        shown["ft"] * shown["ct−1"] + shown["it"] * shown["gt"], abs=1e-6
    )
    assert shown["ht"] == pytest.approx(shown["ot"] * math.tanh(shown["ct"]), abs=1e-6)


def test_what_is_still_in_the_cell_is_the_product_of_forget_gates(open_page, root):
    page = open_page(lab("?prefix=To+be,+or+not+to+be"))
    text = written(page, 19)
    page.locator("#reading [data-t='18']").click()
    open_unit(page, 40, 1)
    weights, symbols, cell = read_weights(root, SHAKESPEARE)
    points, _ = by_hand(cell, weights, [symbols.index(character) for character in text])
    forget = points["rnn.1.f"][:, 40]
    bars = page.locator("#microscope .kept [data-t]").evaluate_all(
        """(bars) => bars.filter((bar) => !bar.hidden).map((bar) =>
            [Number(bar.dataset.t), bar.firstChild.style.transform])"""
    )
    assert [at for at, _ in bars] == list(range(19))
    for at, transform in bars:
        share = number(re.search(r"scaleY\((.*)\)", transform).group(1))
        assert share == pytest.approx(forget[at + 1 :].prod().item(), abs=1e-5)


def test_the_plain_cell_of_the_smallest_model_is_shown_by_its_own_equation(open_page, root):
    page = open_page(lab("?prefix=good", "hello-rnn"))
    text = written(page, 4)
    page.locator("#reading [data-t='2']").click()
    open_unit(page, 5, 0)
    weights, symbols, cell = read_weights(root, "hello-rnn")
    points, _ = by_hand(cell, weights, [symbols.index(character) for character in text])
    shown = microscope(page)
    assert shown["ht"] == pytest.approx(points["rnn.0.h"][2, 5].item(), abs=1e-5)
    assert any(
        value == pytest.approx(points["rnn.0.a"][2, 5].item(), abs=1e-5) for value in shown.values()
    )


def test_the_smallest_model_goes_on_from_good_as_it_was_taught(open_page):
    page = open_page(lab("", "hello-rnn"))
    written(page, 4)
    page.locator("#write").click()
    assert written(page, 14) == "good i am fine"


def test_the_five_most_likely_characters_are_those_of_plain_torch(open_page, root):
    page = open_page(lab("?prefix=To+be,+or+not"))
    text = written(page, 13)
    page.locator("#reading [data-t='8']").click()
    weights, symbols, cell = read_weights(root, SHAKESPEARE)
    _, logits = by_hand(cell, weights, [symbols.index(character) for character in text])
    expected = logits[7].softmax(0)  # what stood at step 8 came from the step before
    rows = page.locator("#step-panel .candidates").first.locator("button.candidate:visible")
    expect(rows).to_have_count(5)
    shown = rows.evaluate_all("(rows) => rows.map((row) => [row.dataset.token, row.title])")
    best = expected.argsort(descending=True)[:5].tolist()
    assert [token for token, _ in shown] == [symbols[k] for k in best]
    for (_, probability), k in zip(shown, best, strict=True):
        assert float(probability) == pytest.approx(expected[k].item(), abs=1e-5)


def test_stepping_back_and_choosing_another_character_goes_on_from_that_state(open_page):
    page = open_page(lab("?prefix=To+be,+or+&seed=7&n=20"))
    text = written(page, 30)
    page.keyboard.press("Escape")
    page.locator("#reading [data-t='20']").click()
    other = page.locator("#step-panel .candidates").first.locator(
        "button.candidate:visible:not(.chosen)"
    )
    token = other.first.get_attribute("data-token")
    page.locator("#length").fill("10")
    other.first.click()
    forked = written(page, 31)
    assert forked[:20] == text[:20]
    assert forked[20] == token
    # going on from the state is the same as reading the whole text anew
    answer = page.request.post(
        f"/api/checkpoints/{SHAKESPEARE}/generate",
        data={"prefix": forked[:21], "seed": 7, "max_new_tokens": 10, "points": []},
    )
    done = json.loads(re.search(r"event: done\ndata: (.*)", answer.text()).group(1))
    assert done["text"] == forked


def test_the_arrow_keys_rewind_and_the_space_bar_writes(open_page):
    page = open_page(lab("?prefix=To+be,+or+&seed=7&n=10"))
    written(page, 20)
    page.locator("#reading").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#step-panel h2")).to_have_text("step 18")
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#step-panel h2")).to_have_text("step 8")
    page.keyboard.press("End")
    expect(page.locator("#step-panel h2")).to_have_text("step 19")
    page.locator("#length").fill("5")
    page.locator("#reading").focus()
    page.keyboard.press("Space")
    written(page, 25)


def test_stopping_keeps_what_was_written(open_page):
    page = open_page(lab("?prefix=To+be,+or+"))
    written(page, 10)
    page.locator("#pace").select_option("10")
    page.locator("#write").click()
    expect(page.locator("#reading [data-t='14']")).to_be_visible(timeout=SECONDS)
    page.locator("#stop").click()
    settled(page)
    count = page.locator("#reading [data-t]").count()
    page.wait_for_timeout(500)
    assert 14 < page.locator("#reading [data-t]").count() == count < 60


def test_unknown_characters_are_named_and_nothing_is_lost(open_page, faults):
    faults.expect("422")  # Chromium logs the answer
    page = open_page(lab("?prefix=To+be"))
    before = written(page, 5)
    page.locator("#prompt").fill("To be щ ")
    problem = page.locator("#problem")
    expect(problem).to_be_visible()
    expect(problem).to_contain_text("щ")
    assert text_of(page).startswith(before)
    page.locator("#prompt").fill("To be or")
    written(page, 8)
    expect(problem).to_be_hidden()


def test_a_click_in_a_heat_map_opens_the_unit_under_the_pointer(open_page):
    page = open_page(lab("?prefix=To+be,+or+not+to+be"))
    written(page, 19)
    canvas = page.locator("#maps canvas.plot").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + 5.5 * 18, box["y"] + box["height"] / 2)
    unit = page.locator("#microscope input")
    expect(unit).not_to_have_value("")
    assert abs(int(unit.input_value()) - 128) <= 4
    expect(page).to_have_url(re.compile(r"[?&]unit="))  # written a moment later


def test_a_heat_map_is_drawn_in_the_colours_of_its_numbers(open_page, root):
    """The forget gate's raster: an open gate is drawn darker than a closed one."""
    page = open_page(lab("?prefix=To+be,+or+not+to+be&points=f&height=units"), color_scheme="light")
    text = written(page, 19)
    weights, symbols, cell = read_weights(root, SHAKESPEARE)
    points, _ = by_hand(cell, weights, [symbols.index(character) for character in text])
    gate = points["rnn.1.f"]
    canvas = page.locator("#maps canvas.plot").first
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    size = canvas.bounding_box()
    rows = canvas.evaluate(
        """(canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            return { width, height, data: Array.from(data) };
        }"""
    )
    scale = rows["width"] / size["width"]
    height = rows["height"] / gate.shape[1]
    if height < 1:
        pytest.skip("a row covers several units")

    def light(step: int, unit: int) -> int:
        x, y = int((step + 0.5) * 18 * scale), int((unit + 0.5) * height)
        at = 4 * (y * rows["width"] + x)
        return sum(rows["data"][at : at + 3])

    unit_open, unit_closed = gate[9].argmax().item(), gate[9].argmin().item()
    assert light(9, unit_open) < light(9, unit_closed)


@pytest.mark.parametrize("kind", ["PNG", "SVG", "CSV"])
def test_a_heat_map_can_be_saved(open_page, kind, root, tmp_path):
    page = open_page(lab("?prefix=To+be&points=c"))
    text = written(page, 5)
    with page.expect_download(timeout=SECONDS) as waiting:
        page.locator("#maps .map").first.get_by_role("button", name=f"save as {kind}").click()
    path = tmp_path / f"map.{kind}"
    waiting.value.save_as(path)
    raw = path.read_bytes()
    if kind == "PNG":
        assert raw.startswith(b"\x89PNG")
    elif kind == "SVG":
        assert b"<svg" in raw[:300]
        assert b"rnn.1.c" in raw
    else:
        lines = raw.decode("utf-8").strip().split("\r\n")
        weights, symbols, cell = read_weights(root, SHAKESPEARE)
        points, _ = by_hand(cell, weights, [symbols.index(character) for character in text])
        values = [float(value) for value in lines[-1].split(",")[2:]]
        assert values == pytest.approx(points["rnn.1.c"][-1].tolist(), abs=1e-5)


def test_two_checkpoints_stand_side_by_side_on_the_same_prefix(open_page):
    page = open_page(lab("?prefix=good&n=6", "hello-rnn"))
    written(page, 10)
    page.locator("#compare").select_option(SHAKESPEARE)
    expect(page.locator("#compare-body")).to_be_visible()
    expect(page).to_have_url(re.compile(f"[?&]compare={SHAKESPEARE}(&|$)"))


def test_the_language_changes_and_the_text_stays(open_page):
    page = open_page(lab("?prefix=To+be,+or+&seed=3&n=12"))
    text = written(page, 22)
    page.wait_for_timeout(400)
    page.locator("#other-language").click()
    page.wait_for_url("**/ru/lab/**")
    assert page.locator("html").get_attribute("lang") == "ru"
    assert written(page, 22) == text


@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_nothing_runs_out_of_the_page_sideways(open_page, width, language):
    page = open_page(
        lab("?prefix=To+be,+or+&n=80", language=language), viewport={"width": width, "height": 900}
    )
    written(page, 90)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
