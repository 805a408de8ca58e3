"""Attention step by step, walked as a person walks it; its numbers are made again with numpy."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from models.text import Characters
from tests.browser.conftest import serve
from tests.toys import SYMBOLS
from tests.toys.transformers import LANGUAGE_MODELS, write_encoder, write_language_model

pytestmark = pytest.mark.browser
SECONDS = 60_000  # ms that a page may take on a busy machine
NAME = "toy-gpt"
CONFIG = LANGUAGE_MODELS[NAME]
TEXT = "abba cd fade"
IDS = Characters(SYMBOLS).encode(TEXT)
LAYER, HEAD, QUERY, KEY = 1, 2, 9, 3
T, D, H = len(IDS), CONFIG.hidden_size, CONFIG.num_heads
d = D // H
CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # the page's double against the network's single precision
WEIGHTS: dict[str, np.ndarray] = {}


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory) -> Iterator[str]:
    """A server of a language model that keeps its weights for us, and of an encoder."""
    folder = tmp_path_factory.mktemp("walked")
    network = write_language_model(folder / NAME, CONFIG)
    WEIGHTS.update({name: value.double().numpy() for name, value in network.state_dict().items()})
    write_encoder(folder / "toy-encoder")
    with serve(root, folder, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


def drawn(page: Page) -> Page:
    """Wait until the steps are drawn and the network rests."""
    page.wait_for_selector("body[data-drawn]:not(.busy)", state="attached", timeout=SECONDS)
    return page


def walk(open_page, query: str = "", checkpoint: str = NAME, **options) -> Page:
    return drawn(open_page(f"/en/steps/{checkpoint}?text={TEXT}{query}", **options))


def tables(page: Page, step: int) -> dict[str, np.ndarray]:
    """What a step draws, by name."""
    found = page.evaluate(
        """step => lab.steps[step - 1].tables().map(({ name, rows, columns, values }) =>
             [name, rows.length, columns.length, Array.from(values, v => v === v ? v : null)])""",
        step,
    )
    return {
        name: np.array([np.nan if v is None else v for v in values]).reshape(rows, columns)
        for name, rows, columns, values in found
    }


def weight(name: str) -> np.ndarray:
    return WEIGHTS[name]


def norm(x: np.ndarray, name: str) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    plain = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + CONFIG.norm_eps)
    return plain * weight(f"{name}.weight") + weight(f"{name}.bias")


def linear(x: np.ndarray, name: str) -> np.ndarray:
    return x @ weight(f"{name}.weight").T + weight(f"{name}.bias")


def softmax(x: np.ndarray) -> np.ndarray:
    raised = np.exp(x - x.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def gelu(x: np.ndarray) -> np.ndarray:
    from math import erf

    return x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))


def block(x: np.ndarray, layer: int) -> dict[str, np.ndarray]:
    """One layer by the formulas: x (T, D) -> all that goes on in it; heads come first."""
    name = f"blocks.{layer}"
    read = norm(x, f"{name}.attention_norm")
    q, k, v = (
        linear(read, f"{name}.attention.{part}").reshape(-1, H, d).transpose(1, 0, 2)
        for part in ("query", "key", "value")
    )
    raw = q @ k.transpose(0, 2, 1)
    seen = np.tril(np.ones(raw.shape[1:], bool))
    a = softmax(np.where(seen, raw / np.sqrt(d), -np.inf))
    z = a @ v
    added = linear(z.transpose(1, 0, 2).reshape(-1, D), f"{name}.attention.output")
    middle = x + added
    hidden = gelu(linear(norm(middle, f"{name}.mlp_norm"), f"{name}.mlp.up"))
    mlp = linear(hidden, f"{name}.mlp.down")
    return {"x": x, "q": q, "k": k, "v": v, "raw": raw, "a": a, "z": z, "added": added,
            "middle": middle, "hidden": hidden, "mlp": mlp, "end": middle + mlp}  # fmt: skip


def layers(ids: list[int], positions: bool = True) -> list[dict[str, np.ndarray]]:
    x = weight("token_embedding.weight")[ids]
    if positions:
        x = x + weight("position_embedding.weight")[: len(ids)]
    found = []
    for layer in range(CONFIG.num_layers):
        found.append(block(x, layer))
        x = found[-1]["end"]
    return found


def test_every_number_that_is_drawn_is_what_the_formulas_give(open_page):
    page = walk(open_page, f"&layer={LAYER}&head={HEAD}&query={QUERY}&key={KEY}&unit=1")
    whole = layers(IDS)
    one = whole[LAYER]
    q, k, v, a, z = (one[name][HEAD] for name in ("q", "k", "v", "a", "z"))

    np.testing.assert_allclose(tables(page, 1)["x"], whole[0]["x"], **CLOSE)
    for name, expected in (("q", q), ("k", k), ("v", v)):
        np.testing.assert_allclose(tables(page, 2)[name], expected, **CLOSE)
    products = tables(page, 3)
    np.testing.assert_allclose(products["products"][2], q[QUERY] * k[KEY], **CLOSE)
    raw = one["raw"][HEAD]
    np.testing.assert_allclose(products["q·k"][0], raw[QUERY], **CLOSE)
    np.testing.assert_allclose(tables(page, 4)["s"][1], raw[QUERY] / np.sqrt(d), **CLOSE)
    seen = np.where(np.tril(np.ones((T, T), bool)), raw / np.sqrt(d), np.nan)
    np.testing.assert_allclose(tables(page, 5)["S"], seen, **CLOSE)
    np.testing.assert_allclose(tables(page, 6)["a"][1], a[QUERY], **CLOSE)
    summed = tables(page, 7)
    np.testing.assert_allclose(summed["a·v"], a[QUERY][:, None] * v, **CLOSE)
    np.testing.assert_allclose(summed["z"][0], z[QUERY], **CLOSE)
    matrices = tables(page, 8)
    for name, expected in (("Q", q), ("K", k), ("A", a), ("V", v), ("Z", z)):
        np.testing.assert_allclose(matrices[name], expected, **CLOSE)
    for head in range(H):
        np.testing.assert_allclose(tables(page, 9)[f"head {head}"], one["a"][head], **CLOSE)
    stream = tables(page, 10)
    rows = [one[name][QUERY] for name in ("x", "added", "middle", "mlp", "end")]
    np.testing.assert_allclose(stream["x"], rows, **CLOSE)
    np.testing.assert_allclose(stream["m"][0], one["hidden"][QUERY], **CLOSE)

    # What a reader reads: a weight, the sum, the entropy, and that both agree.
    share = page.locator("#step-6 .tr-body .tr").nth(KEY).locator(".weight .num")
    assert float(share.get_attribute("title")) == pytest.approx(a[QUERY, KEY], rel=1e-4)
    some = a[QUERY][: QUERY + 1]
    bits = re.search(r"([\d.]+) bits", page.locator("#step-6 .step-filled").inner_text())
    assert float(bits[1]) == pytest.approx(-(some * np.log2(some)).sum(), rel=5e-3)
    checks = page.locator("[data-digits]")
    assert checks.count() >= 10
    digits = [int(n) for n in checks.evaluate_all("nodes => nodes.map(n => n.dataset.digits)")]
    assert min(digits) >= 5, digits
    cell = page.locator("#step-8 canvas").nth(5)  # Z
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    cell.hover(position={"x": box["width"] * 1.5 / d, "y": box["height"] * 2.5 / T})
    told = page.locator(".tip").inner_text().replace("−", "-").split()
    assert told[:2] == ["z", TEXT[2]]
    assert float(told[-1]) == pytest.approx(z[2, 1], rel=1e-4)


def test_the_stack_ends_in_the_prediction_and_only_the_first_layer_does_not_see_the_order(
    open_page,
):
    page = walk(open_page, f"&query={QUERY}&step=12")
    table = page.locator("#step-12 .order-table tbody tr")
    expect(table.first.locator("td").first).to_contain_text("the same in", timeout=SECONDS)
    order = page.evaluate("lab.steps[11].plan.order")
    assert sorted(order[:QUERY]) == list(range(QUERY)) != order[:QUERY]
    assert order[QUERY:] == list(range(QUERY, T))
    told = tables(page, 12)["change"]
    for column, positions in enumerate((False, True)):
        still = layers(IDS, positions)
        moved = layers([IDS[k] for k in order], positions)
        for layer in range(CONFIG.num_layers):
            one, two = (found[layer]["end"][QUERY] for found in (still, moved))
            expected = np.abs(one - two).max() / np.abs(one).max()
            assert told[layer, column] == pytest.approx(expected, rel=1e-3, abs=1e-5)
    assert told[0, 0] < 1e-5 < 1e-2 < told.flatten()[1:].min()

    page.locator("#turner [data-step='11']").click()
    top = page.locator("#step-11 .top-token .num")
    expect(top.first).not_to_be_empty(timeout=SECONDS)
    logits = norm(layers(IDS)[-1]["end"], "final_norm") @ weight("token_embedding.weight").T
    chances = softmax(logits[QUERY])
    best = np.sort(chances)[::-1][:5]
    titles = page.locator("#step-11 .floors .guess").first.get_attribute("title")
    assert float(titles) == pytest.approx(best[0], rel=1e-4)


def test_keys_lead_from_step_to_step_and_the_address_opens_the_same_one_at_a_time_on_a_phone(
    open_page,
):
    page = walk(open_page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("]")
    page.keyboard.press(",")
    expect(page.locator("#turner [aria-current]")).to_have_attribute("data-step", "3")
    expect(page.locator("#step-3")).to_be_in_viewport()
    expect(page.locator("#strip .tok.query")).to_have_attribute("data-k", str(T - 2))
    page.wait_for_url(re.compile(rf"query={T - 2}&.*head=1.*step=3"))
    address = page.url.partition("/en/")[2]
    phone = drawn(open_page(f"/en/{address}", viewport={"width": 390, "height": 844}))
    expect(phone.locator("#step-3")).to_be_visible()
    expect(phone.locator(".step:visible")).to_have_count(1)
    expect(phone.locator("#head")).to_have_value("1")
    phone.locator("#after").click()
    expect(phone.locator(".step:visible h2")).to_have_text("Scaled")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390

    both = walk(open_page, "&step=12", checkpoint="toy-encoder")  # it hides nothing
    assert not np.isnan(tables(both, 5)["S"]).any()
    expect(both.locator("#step-12 .order-table .agree").first).to_contain_text(
        "the same in", timeout=SECONDS
    )
