"""The translator's lab, used as a person uses it; its arithmetic is done again with numpy."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.backend.serving import decode
from tests.browser.conftest import serve
from tests.toys.translators import write_translator

pytestmark = pytest.mark.browser
SECONDS = 30_000  # ms that a translation may take on a busy machine
TOYS = ("toy-additive", "toy-general", "toy-characters", "toy-plain")
MOST = 8  # tokens: the toys seldom end by themselves
MANY = 24  # wider than a telephone
SENTENCE = "A dog runs on the beach."
# The shape of what the recipes measure; the numbers are no network's.
BLEU = [{"from": 1, "to": 8, "sentences": 30, "bleu": 40.5}]
EXACT = [{"from": 6, "to": 12, "sentences": 20, "exact": 0.95}]
FIGURES = {
    "toy-additive": {
        "bleu_test": "test_2016_flickr",
        "length_unit": "words",
        "bleu_by_length": BLEU,
    },
    "toy-plain": {"bleu_test": "test_2016_flickr", "length_unit": "words", "bleu_by_length": BLEU},
    "toy-characters": {
        "exact": 0.9,
        "exact_test": "test_forms",
        "length_unit": "characters",
        "exact_by_length": EXACT,
    },
}
DIGITS = 0.005  # relative: the page writes three significant digits


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory) -> Iterator[str]:
    """A server of toy translators."""
    folder = tmp_path_factory.mktemp("translators")
    for id in TOYS:
        write_translator(folder / id, id)
        config = json.loads((folder / id / "config.json").read_text())
        config["figures"] = FIGURES.get(id, {})
        (folder / id / "config.json").write_text(json.dumps(config))
    with serve(root, folder, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def lab(checkpoint: str = "toy-additive", query: str = "", language: str = "en") -> str:
    return f"/{language}/lab/{checkpoint}?most={MOST}&pace=0{query}"


def settled(page: Page, tokens: int = MOST) -> None:
    """Wait until a translation is whole and the network rests."""
    expect(page.locator("#target-tokens .token")).to_have_count(tokens, timeout=SECONDS)
    expect(page.locator("body")).not_to_have_class(re.compile("busy"), timeout=SECONDS)
    expect(page.locator("#live")).not_to_be_empty(timeout=SECONDS)


def asked(server: str, checkpoint: str = "toy-additive", **body) -> dict:
    """The same from the API, whole."""
    body = {"text": SENTENCE, "max_new_tokens": MOST, **body}
    answer = httpx2.post(f"{server}/api/checkpoints/{checkpoint}/translate", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def written(page: Page) -> list[str]:
    """The tokens on the page, without the spaces that lead words."""
    return page.locator("#target-tokens .token").all_text_contents()


def bare(answer: dict) -> list[str]:
    return [token.strip() for token in answer["target_tokens"]]


def cell(page: Page, target: int, source: int) -> Locator:
    """Bring a cell of the alignment under the pointer; returns the map."""
    cells = page.locator(".alignment-figure .alignment-cells")
    grid = "({ grid: g }) => [g.x(%d) + g.cellWidth / 2, g.y(%d) + g.cellHeight / 2]"
    x, y = page.evaluate(f"({grid % (source, target)})(lab.alignment)")
    cells.hover(position={"x": x, "y": y})
    return cells


def choose(page: Page, target: int, source: int) -> None:
    cell(page, target, source)
    page.mouse.down()
    page.mouse.up()


def numbers(page: Page, table: int) -> list[list[float]]:
    """The full numbers of the rows of a table of the arithmetic."""
    rows = page.locator(".terms").nth(table).locator("tbody tr")
    return [
        [float(title.replace("−", "-")) for title in titles]
        for titles in (
            [n.get_attribute("title") or "nan" for n in row.locator("td .num").all()]
            for row in rows.all()
        )
    ]


def test_a_sentence_is_translated_into_the_words_that_the_network_writes(open_page, server):
    page = open_page(lab())
    settled(page)
    answer = asked(server)
    assert written(page) == bare(answer)
    assert page.locator("#source-tokens .token").all_text_contents() == answer["source_tokens"]
    expect(page.locator("#live")).to_contain_text(answer["text"])
    page.fill("#prompt", "Two men.")
    page.keyboard.press("Enter")
    expect(page.locator("#source-tokens .token")).to_have_count(
        len(asked(server, text="Two men.")["source_tokens"]), timeout=SECONDS
    )
    settled(page)
    assert written(page) == bare(asked(server, text="Two men."))


def test_a_cell_of_the_map_tells_the_weight_that_the_network_gave(open_page, server):
    page = open_page(lab())
    settled(page)
    weights = decode(asked(server)["attention"])
    for target, source in [(0, 0), (2, 6), (MOST - 1, 3)]:
        cell(page, target, source)
        readout = page.locator(".alignment-figure .readout")
        title = readout.get_attribute("title").replace("−", "-")
        assert float(title) == pytest.approx(weights[target, source], rel=1e-5)


@pytest.mark.parametrize("checkpoint", ["toy-additive", "toy-general"])
def test_the_arithmetic_of_a_cell_is_that_of_the_formulas(open_page, server, checkpoint):
    page = open_page(lab(checkpoint))
    settled(page)
    choose(page, 2, 4)
    points = {n: decode(p["data"]) for n, p in asked(server, checkpoint)["points"].items()}
    query, annotation = points["attention.query"][2], points["annotation"]
    if checkpoint == "toy-additive":
        energies = np.tanh(query + points["attention.key"]) @ points["attention.v"]
    else:
        energies = annotation @ query
    raised = np.exp(energies - energies.max())
    weights = raised / raised.sum()
    expect(page.locator(".agree")).to_have_count(3)
    expect(page.locator(".agree.not")).to_have_count(0)
    assert numbers(page, 0)[-1][-1] == pytest.approx(energies[4], rel=1e-4)
    (row,) = [r for r in numbers(page, 1) if r[0] == pytest.approx(energies[4], rel=1e-4)]
    assert row[2] == pytest.approx(weights[4], rel=1e-4)
    page.get_by_label("Unit of the context").fill("1")
    page.keyboard.press("Enter")
    context = float((weights @ annotation)[1])
    expect(page.locator(".terms").nth(2)).to_be_visible()
    assert numbers(page, 2)[-1][-1] == pytest.approx(context, rel=1e-3, abs=1e-6)
    shown = page.locator(".terms").nth(2).locator("tr:last-child .num").inner_text()
    assert float(shown.replace("−", "-")) == pytest.approx(context, rel=DIGITS)


def test_a_word_made_to_look_elsewhere_changes_the_rest_beside_what_it_was(open_page, server):
    page = open_page(lab())
    settled(page)
    before = written(page)
    forced = asked(server, force=[[2, 1]])
    assert bare(forced)[2:] != before[2:], "the toy does not show anything here"
    choose(page, 2, 1)
    page.get_by_role("button", name="Make it look here").click()
    expect(page.locator(".edit")).to_have_count(1, timeout=SECONDS)
    settled(page)
    assert written(page) == bare(forced)
    assert written(page)[:2] == before[:2]
    expect(page.locator(".former-text del")).not_to_have_count(0)
    former = page.locator(".former-text").inner_text()
    assert former == asked(server)["text"]
    expect(page.locator("#target-tokens .changed")).not_to_have_count(0)
    page.locator(".edit").click()
    expect(page.locator("#choices")).to_be_hidden()
    settled(page)
    assert written(page) == before


def test_another_token_is_taken_and_the_translation_goes_on_from_it(open_page, server):
    page = open_page(lab())
    settled(page)
    page.locator("#target-tokens .token").nth(3).click()
    answer = asked(server)
    second = answer["top"][3][1]["token_id"]
    prefix = [*answer["target_ids"][:3], second]
    page.locator(".candidate").nth(1).click()
    expect(page.locator(".edit")).to_have_count(1, timeout=SECONDS)
    longer = asked(server, prefix=prefix)
    settled(page, len(longer["target_ids"]))
    assert written(page) == bare(longer)
    expect(page.locator("#target-tokens .given")).to_have_count(1)


def test_a_search_after_a_chosen_token_is_a_tree_from_the_first_token_on(open_page, server):
    answer = asked(server)
    prefix = [answer["target_ids"][0], answer["top"][1][1]["token_id"]]
    chosen = f"&text={SENTENCE}&prefix={prefix[0]}.{prefix[1]}&picks=1"
    page = open_page(lab(query=f"&beam=3{chosen}"))
    found = asked(server, beam_size=3, prefix=prefix)
    settled(page, len(found["target_ids"]))
    expect(page.locator(".bt-node.winner")).to_have_count(len(found["target_ids"]))
    second = found["hypotheses"][1]
    page.locator(".bt-take").nth(1).focus()
    expect(page.locator(".bt-node.looked")).to_have_count(len(second["token_ids"]))
    path = "lab.tree.layout.pathTo(lab.tree.looked).map(({ node }) => node.token_id)"
    assert page.evaluate(path) == second["token_ids"]
    roots = page.evaluate("lab.tree.layout.layers[2].map(({ share }) => share)")
    assert sum(roots) <= 1


def test_the_address_brings_back_what_was_chosen(open_page):
    page = open_page(lab())
    settled(page)
    choose(page, 1, 3)
    page.keyboard.press("l")
    expect(page.locator(".edit")).to_have_count(1, timeout=SECONDS)
    settled(page)
    text = written(page)
    asked_for = page.locator(".asked").inner_text()
    page.wait_for_url(re.compile("force=1-3.*cell=1-3"))
    again = open_page(page.url)
    settled(again)
    assert written(again) == text
    expect(again.locator(".edit")).to_have_count(1)
    expect(again.locator(".asked")).to_have_text(asked_for)


def test_the_network_without_attention_shows_its_one_vector_and_no_map(open_page, server):
    page = open_page(lab("toy-plain"))
    settled(page)
    assert page.locator(".alignment-figure").count() == 0
    values = decode(asked(server, "toy-plain")["points"]["context"]["data"])
    row = numbers(page, 0)[0]
    assert row[-1] == pytest.approx(values[np.abs(values).argmax()], rel=1e-5)


def test_a_second_network_translates_the_same_sentence_beside_the_first(open_page, server):
    page = open_page(lab(query="&partner=toy-plain"))
    settled(page)
    tokens = page.locator("#partner-body .token")
    expect(tokens).to_have_count(MOST, timeout=SECONDS)
    assert tokens.all_text_contents() == bare(asked(server, "toy-plain"))


def test_a_character_that_the_network_never_saw_is_named_and_marked(open_page, faults):
    faults.expect("422")
    page = open_page(lab("toy-characters"))
    settled(page)
    page.fill("#prompt", "3 ж may")
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_contain_text("ж")
    expect(page.locator("#mirror mark")).to_have_text("ж")
    expect(page.locator("#target-tokens .token")).to_have_count(MOST)  # what was there stays


def test_the_map_is_saved_with_its_full_numbers(open_page, server):
    page = open_page(lab())
    settled(page)
    with page.expect_download() as waiting:
        page.locator("[data-save=alignment] button", has_text="CSV").click()
    rows = list(csv.reader(waiting.value.path().read_text("utf-8").splitlines()))
    saved = np.array([[float(value) for value in row[2:]] for row in rows[1:]])
    np.testing.assert_allclose(saved, decode(asked(server)["attention"]), rtol=1e-6)


def saved(page: Page, what: str, kind: str) -> Path:
    with page.expect_download() as waiting:
        page.locator(f"[data-save={what}] button", has_text=kind).click()
    return waiting.value.path()


@pytest.mark.parametrize(
    ("checkpoint", "unit", "told"),
    [
        ("toy-additive", "words", "Multi30k test set of 2016"),
        ("toy-characters", "characters", "in forms that none had it is 90.0%"),
    ],
)
def test_the_chart_of_lengths_says_what_was_measured_and_in_which_unit(
    open_page, checkpoint, unit, told
):
    page = open_page(lab(checkpoint))
    settled(page)
    expect(page.locator(".lc-words")).to_contain_text(told)
    expect(page.locator(".lc-plot .xtitle")).to_have_text(f"{unit} read")
    head = saved(page, "lengths", "CSV").read_text("utf-8").splitlines()[0]
    assert head == f"network,measure,from_{unit},to_{unit},texts,value"
    assert saved(page, "lengths", "PNG").read_bytes().startswith(b"\x89PNG")
    assert f"{unit} read" in saved(page, "lengths", "SVG").read_text("utf-8")


def test_the_chart_of_lengths_has_the_network_without_attention_beside_the_one_with_it(open_page):
    page = open_page(lab())
    settled(page)
    rows = saved(page, "lengths", "CSV").read_text("utf-8").splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["toy-additive", "toy-plain"]


def test_a_saved_graph_and_saved_states_name_the_sentence_that_they_are_of(open_page):
    page = open_page(lab())
    settled(page)
    assert f"A toy that translates: {SENTENCE}" in saved(page, "graph", "SVG").read_text("utf-8")
    page.locator("#states-figure summary").click()
    states = page.locator(".states .map").first
    states.hover()
    for kind, what in [("CSV", "step,token,encoder.0.h[0]"), ("SVG", SENTENCE)]:
        with page.expect_download() as waiting:
            states.locator("button", has_text=kind).click()
        assert what in waiting.value.path().read_text("utf-8")


def test_a_step_that_is_chosen_comes_into_view_and_stays_there_when_it_looks_elsewhere(
    open_page, server
):
    address = lab().replace(f"most={MOST}", f"most={MANY}")
    page = open_page(address, viewport={"width": 390, "height": 844})
    settled(page, MANY)
    left = "document.querySelector('.sg-scroller').scrollLeft"
    assert page.evaluate(left) > 0, "the graph fits: nothing is shown here"
    page.evaluate("lab.go(0)")
    page.wait_for_function(f"{left} === 0")
    page.evaluate("lab.link.choose(0, 1)")
    page.keyboard.press("l")
    expect(page.locator(".edit")).to_have_count(1, timeout=SECONDS)
    settled(page, len(asked(server, force=[[0, 1]], max_new_tokens=MANY)["target_ids"]))
    assert page.evaluate(left) == 0


def test_before_a_cell_is_chosen_the_strongest_of_the_last_row_is_told(open_page, server):
    page = open_page(lab())
    settled(page)
    row = decode(asked(server)["attention"])[-1]
    current = page.locator(".terms").nth(1).locator("tr.current .num").last
    assert float(current.get_attribute("title")) == pytest.approx(row.max(), rel=1e-4)


def test_the_focus_is_never_lost_when_a_choice_or_a_button_goes(open_page):
    page = open_page(lab())
    settled(page)
    step = page.locator(".sg-step").first
    step.focus()
    for key in ("Enter", "ArrowDown", "ArrowRight", "Enter", "Enter"):  # the last takes the offer
        page.keyboard.press(key)
    expect(page.locator(".edit")).to_have_count(1, timeout=SECONDS)
    settled(page)
    expect(page.locator(".sg-source:focus")).to_have_count(1)
    page.locator(".edit").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#choices")).to_be_hidden()
    settled(page)
    expect(page.locator("#translate")).to_be_focused()


def test_a_run_that_is_stopped_says_so_and_keeps_its_words(open_page):
    page = open_page(lab().replace("pace=0", "pace=1"))
    expect(page.locator("#target-tokens .token")).to_have_count(1, timeout=SECONDS)
    page.locator("#stop").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#text-note")).to_contain_text("Stopped")
    expect(page.locator("#translate")).to_be_focused()
    assert 0 < page.locator("#target-tokens .token").count() < MOST


def test_an_empty_field_and_choices_that_do_not_fit_are_told_with_what_to_do(open_page, faults):
    faults.expect("422")
    page = open_page(lab(query="&force=99-99&text=A+dog."))
    expect(page.locator("#problem")).to_contain_text("Press Translate", timeout=SECONDS)
    page.locator("#translate").click()
    settled(page)
    page.fill("#prompt", " ")
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_contain_text("nothing to translate")


def test_a_word_of_one_letter_is_no_character_of_a_network_that_reads_words(open_page):
    page = open_page(lab())
    settled(page)
    page.evaluate("delete lab.about.figures.length_unit, lab.about.config.source_size = 4000")
    page.fill("#prompt", "a")
    page.keyboard.press("Enter")
    expect(page.locator("#source-tokens .token")).to_have_count(2, timeout=SECONDS)
    settled(page)
    expect(page.locator("#source-tokens")).not_to_have_class(re.compile("characters"))


@pytest.mark.parametrize("checkpoint", ["toy-additive", "toy-plain"])
def test_a_telephone_shows_the_page_without_scrolling_sideways(open_page, checkpoint):
    options = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    page = open_page(lab(checkpoint, language="ru"), **options)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
