import pytest
import torch
from torch import nn

from models.kinds import open_checkpoint
from models.spelling import pieces_of, shape_of
from models.tagger import features
from tests.toys.labels import TAGGERS, TAGS, write_labeller

TOLERANCE = 1e-5  # float32 against float64, absolute
SENTENCE = ["The", "fish", "swims", "n't", "in", "ABC1", "."]
EACH = pytest.mark.parametrize("name", TAGGERS)


@pytest.fixture(scope="module")
def runners(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("taggers")
    for name, config in TAGGERS.items():
        write_labeller(folder / name, config)
    return {name: open_checkpoint(folder / name) for name in TAGGERS}


@EACH
def test_tags_are_those_of_torchs_layers_on_the_sum_of_tables(runners, name):
    runner = runners[name]
    config = runner.network.config
    w = {key: value.double() for key, value in runner.network.state_dict().items()}
    rows = []
    for word in SENTENCE:
        pieces = w["piece_embedding.weight"][pieces_of(word, config.pieces)].sum(0)
        own = w["embedding.weight"][runner.reads.number(word)]
        rows.append(torch.cat([own, pieces, w["shape_embedding.weight"][shape_of(word)]]))
    kind = {"lstm": nn.LSTM, "gru": nn.GRU}[config.cell]
    layers = kind(
        config.input_size,
        config.hidden_size,
        config.num_layers,
        bidirectional=config.bidirectional,
        dtype=torch.float64,
    )
    layers.load_state_dict({key[4:]: v for key, v in w.items() if key.startswith("rnn.")})
    h = layers(torch.stack(rows))[0].detach()
    expected = (h @ w["output.weight"].T + w["output.bias"]).softmax(-1)
    found = runner.tag(SENTENCE, None)
    torch.testing.assert_close(found.probabilities.double(), expected, atol=TOLERANCE, rtol=0)
    assert torch.equal(found.points["tags"], found.probabilities)
    top = f"rnn.{config.num_layers - 1}."
    directions = [top] + [top + "reverse."] * config.bidirectional
    states = torch.cat([found.points[f"{one}h"] for one in directions], dim=-1)
    torch.testing.assert_close(states.double(), h, atol=TOLERANCE, rtol=0)


@EACH
def test_padding_and_its_neighbours_in_a_batch_do_not_change_a_sentence(runners, name):
    runner = runners[name]
    read = [features(word, runner.reads, 16) for word in SENTENCE]
    batch = torch.tensor([read[:3] + [read[0]] * 4, read]).transpose(0, 1)
    together = runner.network(batch, torch.tensor([3, 7])).softmax(-1)
    for row, count in enumerate((3, 7)):
        alone = runner.tag(SENTENCE[:count]).probabilities
        torch.testing.assert_close(together[:count, row], alone, atol=TOLERANCE, rtol=0)


def test_words_that_are_not_known_are_told_and_differ_by_their_spelling(runners):
    runner = runners["toy-tagger"]
    assert runner.tag(SENTENCE).known == [True, True, False, True, False, False, True]
    one, two, three = (
        runner.tag([word]).probabilities for word in ("walking", "walked", "Walking")
    )
    assert not torch.equal(one, two)
    assert not torch.equal(one, three)
    assert len(TAGS) == one.shape[-1]


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("fish", 0), ("Fish", 1), ("I", 1), ("FISH", 2), ("eBay", 3), ("1,000", 4),
        ("B2", 5), ("...", 6), ("@", 6), ("http://a.b", 7), ("рыба", 0), ("Рыба", 1),
    ],
)  # fmt: skip
def test_the_shape_of_a_word_is_how_its_capitals_figures_and_marks_stand(word, shape):
    assert shape_of(word) == shape


def test_pieces_are_a_words_beginning_and_its_endings_whatever_its_capitals():
    rows = 1 << 20  # so many that no two share a row here
    assert pieces_of("Walking", rows) == pieces_of("walking", rows)
    shared = [a == b for a, b in zip(pieces_of("walking", rows), pieces_of("talking", rows),
                                     strict=True)]  # fmt: skip
    assert shared == [False, True, True, True, True]
    assert all(0 <= row < 7 for row in pieces_of("a", 7))
