from types import SimpleNamespace

import numpy as np
import pytest
import torch

from models.captioner import Captioner, CaptionerConfig
from models.decoder import BEGIN, END
from models.subwords import words
from models.training import placement
from models.training.captions import write
from models.training.marked import Mark
from models.training.placement import composed_share, figure, pointing, table, weights

VOCABULARY = words(["a dog dogs and ball runs"] * 5, 5)
NUMBERS = {token.strip(): k for k, token in enumerate(VOCABULARY.tokens)}


def ids(text: str) -> list[int]:
    return [NUMBERS[word] for word in text.split()]


def network(attention: str = "soft") -> Captioner:
    """Random but for its attention, which lies where the first feature is."""
    width = {"embedding_size": 6, "decoder_size": 8, "context_size": 4, "attention_size": 2}
    config = CaptionerConfig(attention, len(VOCABULARY), **width, feature_size=4)
    built = Captioner(config).initialize(torch.Generator().manual_seed(2)).eval()
    if built.attention is not None:
        with torch.no_grad():
            built.annotate.weight.copy_(torch.eye(4))
            built.attention.key.weight.zero_()[0, 0] = 20.0
            built.attention.v.copy_(torch.tensor([30.0, 0.0]))
            built.attention.query.weight[0] = 0.0
    return built


def lit(*cells: int) -> torch.Tensor:
    """Pictures in each of which one cell is lit, (B, 49, 4)."""
    found = torch.zeros(len(cells), 49, 4)
    found[torch.arange(len(cells)), torch.tensor(cells), 0] = 1.0
    return found


@pytest.mark.parametrize("attention", ["soft", "hard"])
def test_the_weights_are_those_that_the_words_were_written_with(attention):
    net = network(attention)
    with torch.no_grad():
        net.attention.query.weight.normal_(generator=torch.Generator().manual_seed(1))
        net.attention.key.weight.normal_(generator=torch.Generator().manual_seed(2))
        net.attention.v.fill_(1.0)
        net.output_bias[END] = -5.0
    cells = torch.randn(2, 49, 4, generator=torch.Generator().manual_seed(3))
    captions = write(net, cells, limit=5)
    found = weights(net, cells, [captions[0], captions[1][:2]])
    assert [len(one) for one in found] == [5, 2]
    for k, (one, own) in enumerate(zip(found, captions, strict=True)):
        memory, state = net.read(cells[k : k + 1])
        for row, word in zip(one, [BEGIN, *own], strict=False):
            from_y, rest = net.token_part(net.embed(torch.tensor([word])))
            look = (lambda w: w.argmax(-1)) if attention == "hard" else None
            step = net.advance(from_y, state, memory, rest, look=look)
            state = step.state
            np.testing.assert_allclose(row, step.attended.weights[0].detach(), atol=1e-6)


def test_a_network_without_attention_has_no_weights():
    with pytest.raises(ValueError, match="without attention"):
        weights(network("none"), lit(0), [[3]])


def test_captions_without_a_word_have_no_weights():
    assert weights(network(), lit(0, 1), [[], []])[1].shape == (0, 49)


def region(names: list[str], *cells: int) -> dict:
    """A thing that fills one cell after another of a row, and half of each by its outline."""
    x = [k % 7 * 32 for k in cells]
    y = cells[0] // 7 * 32
    cover = [0.5 if k in cells else 0.0 for k in range(49)]
    return {"names": names, "box": [min(x), y, max(x) + 32, y + 32], "cover": cover}


def scenes(*pictures: tuple[int, list[dict]]) -> SimpleNamespace:
    """Composed pictures: the cell that is lit, and what is in each."""
    return SimpleNamespace(
        parts={"test": list(range(len(pictures)))},
        pictures=[{"regions": regions} for _, regions in pictures],
        grids=lambda rows: lit(*(pictures[row][0] for row in rows)),
        vocabulary=VOCABULARY,
    )


def test_attention_is_counted_inside_the_thing_that_the_word_names(monkeypatch):
    texts = ["a dog and a ball", "a dog runs", "dogs and a dog"]
    monkeypatch.setattr(placement, "write", lambda net, cells: [ids(text) for text in texts])
    dog, ball = region(["dog", "animal"], 8, 9), region(["ball"], 30)
    found = composed_share(
        network(), scenes((8, [dog, ball]), (40, [dog]), (30, [dog, region(["dog"], 30)]))
    )
    # dog in, ball out; dog out; dogs and dog are both of both things: in, in
    assert (found["scenes"], found["words"], found["written"]) == (3, 5, 1.0)
    assert found["box"]["mean"] == pytest.approx(3 / 5, abs=1e-3)
    assert found["outline"]["mean"] == pytest.approx(1.5 / 5, abs=1e-3)
    assert found["box"]["even"] == pytest.approx((2 + 1 + 2 + 3 + 3) / 5 / 49, abs=1e-4)
    assert found["outline"]["even"] == pytest.approx(found["box"]["even"] / 2, abs=1e-4)


def test_what_is_not_named_is_not_measured(monkeypatch):
    monkeypatch.setattr(placement, "write", lambda net, cells: [ids("a ball runs")])
    found = composed_share(network(), scenes((8, [region(["dog"], 8)])))
    assert (found["words"], found["written"], found["box"]) == (0, 0.0, None)


def photographs(**cells: int) -> SimpleNamespace:
    return SimpleNamespace(
        vocabulary=VOCABULARY, cells=lambda names: lit(*(cells[name] for name in names))
    )


def test_the_pointing_game_asks_whether_the_likeliest_cell_is_in_the_box():
    marked = [
        Mark("one", frozenset({"dog"}), (0, 0, 64, 64)),  # four cells, 0 of them is lit
        Mark("one", frozenset({"ball"}), (100, 100, 124, 124)),  # the middle
        Mark("two", frozenset({"dog", "dogs"}), (0, 35, 32, 60)),  # near cell 0, not over it
    ]
    captions = {"one": [ids("a dog and a ball"), ids("a dog")], "two": [ids("dogs and a dog")]}
    found = pointing(network(), photographs(one=0, two=0), captions, marked)
    assert (found["boxes"], found["words"]) == (3, 4)
    assert found["hit"]["mean"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["hit"]["even"] == pytest.approx((4 + 1 + 1) / 49 / 3, abs=1e-4)
    assert found["hit"]["centre"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["near"]["mean"] == pytest.approx(1 / 3, abs=1e-4)  # 19 pixels are not near
    assert found["share"]["mean"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["away"]["mean"] == pytest.approx(1 / 2, abs=1e-4)  # of the other two boxes
    assert (found["away"]["count"], found["away"]["centre"]) == (2, 0)
    near = [Mark("two", frozenset({"dog"}), (0, 31, 32, 60))]  # 15 pixels are
    found = pointing(network(), photographs(two=0), captions, near)
    assert (found["hit"]["mean"], found["near"]["mean"]) == (0.0, 1.0)


def test_a_box_counts_once_however_many_captions_name_it():
    marked = [
        Mark("one", frozenset({"dog"}), (0, 0, 32, 32)),
        Mark("two", frozenset({"dog"}), (0, 0, 32, 32)),
    ]
    captions = {"one": [ids("a dog")] * 4, "two": [ids("a dog")]}
    found = pointing(network(), photographs(one=0, two=9), captions, marked)
    assert (found["boxes"], found["words"]) == (2, 5)
    assert found["hit"]["mean"] == 0.5
    assert found["hit"]["error"] == pytest.approx(0.5)  # of 0 and 1: sqrt(1/2) / sqrt(2)


def test_of_no_word_there_is_no_figure_and_a_table_is_made_all_the_same(monkeypatch):
    assert figure([]) is None
    monkeypatch.setattr(placement, "write", lambda net, cells: [ids("a dog")])
    composed = composed_share(network(), scenes((8, [region(["dog"], 8)])))
    marked = [Mark("one", frozenset({"ball"}), (0, 0, 32, 32))]
    nothing = pointing(network(), photographs(one=0), {"one": [ids("a dog")]}, marked)
    text = table({"composed": composed, "own": nothing, "people": nothing})
    rows = text.split("\n\n")[0].splitlines()
    assert len(rows) == 12
    assert len({row.count("|") for row in rows}) == 1
    assert "| 1 words | 100.0 ± 0.0 | 2.0 |" in rows[2]
