"""Figures of the lessons on encoder, decoder and attention, worked as a reader would."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SECONDS = 60_000  # ms that a figure may take on a busy machine


def opened(page: Page, *names: str) -> Page:
    page.wait_for_function("() => globalThis.lesson", timeout=SECONDS)
    for name in names:
        page.evaluate(f"lesson.figures.get('{name}').open()")
    return page


def shows(page: Page, figure: str, condition: str) -> None:
    """Wait until a figure's values `v` are such."""
    told = f"() => {{ const v = lesson.figures.get('{figure}').values(); return {condition}; }}"
    page.wait_for_function(told, timeout=SECONDS)


def checked(page: Page, exercise: str, sign: str) -> None:
    section = page.locator(f"#{exercise}")
    section.get_by_role("button", name="Check").click()
    expect(section.locator(".verdict")).to_contain_text(sign)


def test_a_decoder_goes_on_from_what_it_was_given_and_a_beam_finds_what_greedy_choice_misses(
    open_page,
):
    page = opened(open_page("/en/lessons/seq2seq"), "greedy", "beam")
    shows(page, "greedy", "v.steps === 11 && v.lowest > 0.99")
    checked(page, "unsure", "✗")
    page.locator("#greedy .decoding-step").first.get_by_text("7").click()
    shows(page, "greedy", "v.given === 1 && v.lowest < 0.9")
    checked(page, "unsure", "✓")
    page.get_by_role("button", name="let it choose by itself").click()
    shows(page, "greedy", "v.given === 0 && v.lowest > 0.99")
    shows(page, "beam", "v.steps > 5")
    field = page.locator("#beam input[type=number]")
    field.fill("2")
    field.press("Enter")
    shows(page, "beam", "v.gained > 0.5")
    checked(page, "gained", "✓")
    expect(page.locator("#beam .bt-take")).to_have_count(2)


def test_a_sentence_grows_until_two_networks_of_one_size_part(open_page):
    page = opened(open_page("/en/lessons/seq2seq"), "bottleneck")
    shows(page, "bottleneck", "v.words === 6 && v.agreed === 6")
    checked(page, "agreed", "✗")
    slider = page.locator("#bottleneck input[type=range]")
    slider.press("ArrowRight")
    shows(page, "bottleneck", "v.agreed === 13 && v['kept.0'] === 384 && v['kept.1'] === 15 * 384")
    checked(page, "agreed", "✓")
    slider.press("End")
    shows(page, "bottleneck", "v.words === 29 && v.agreed === 0 && v.differing > 3")


def test_temperature_and_energies_turn_the_weights_and_crossings_are_counted(open_page):
    page = opened(open_page("/en/lessons/attention"), "numbers", "threads")
    shows(page, "numbers", "Math.abs(v.largest - 0.605) < 0.001 && v.moved < 1e-5")
    checked(page, "flat", "✗")
    page.locator("#numbers input[type=range]").press("End")
    shows(page, "numbers", "v.temperature === 5 && v.above >= 4")
    checked(page, "flat", "✓")
    page.get_by_role("button", name="the network's own").click()
    shows(page, "numbers", "v.temperature === 1 && v.moved < 1e-5")
    page.locator("#numbers").get_by_label("energy: woman").fill("20")
    shows(page, "numbers", "v.changed === 1 && v.place === 1 && v.largest > 0.99")
    shows(page, "threads", "v.crossings === 2")
    page.locator("#threads input.field").fill("A boy plays with a big red ball.")
    shows(page, "threads", "v.target_tokens === 10 && Number.isFinite(v.crossings)")
    page.locator("#threads input.field").fill("A black dog and a white cat play with a red ball.")
    shows(page, "threads", "v.crossings === 3")
    checked(page, "crossed", "✓")
