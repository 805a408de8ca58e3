import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from models.checkpoint import CheckpointError
from models.kinds import open_checkpoint
from models.sequence_classifier import SequenceClassifier
from models.trace import UnknownPoint
from tests.toys.labels import CLASSIFIERS, symbols_of, write_labeller

TOLERANCE = 1e-5  # float32 against float64, absolute
CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn_tanh": nn.RNN}
EACH = pytest.mark.parametrize("name", CLASSIFIERS)


@pytest.fixture(scope="module")
def runners(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("classifiers")
    for name, config in CLASSIFIERS.items():
        write_labeller(folder / name, config)
    return {name: open_checkpoint(folder / name) for name in CLASSIFIERS}


def tokens_of(name: str, count: int = 9) -> list[int]:
    size = len(symbols_of(CLASSIFIERS[name]))
    return [(7 * k + 1) % size for k in range(count)]


def states(config, weights: dict, tokens: list[int]) -> torch.Tensor:
    """All states (T, D * H) of torch's own layers, in float64."""
    x = weights.get("embedding.weight", torch.eye(config.vocab_size).double())[tokens]
    layers = CELLS[config.cell](
        x.shape[1],
        config.hidden_size,
        config.num_layers,
        bidirectional=config.bidirectional,
        dtype=torch.float64,
    )
    layers.load_state_dict({k[4:]: v for k, v in weights.items() if k.startswith("rnn.")})
    return layers(x)[0].detach()


def by_hand(config, weights: dict, tokens: list[int]) -> dict:
    """Probabilities, and what pools, from the formulas in float64."""
    weights = {name: value.double() for name, value in weights.items()}
    h, H = states(config, weights, tokens), config.hidden_size
    found, U, b = {}, weights["output.weight"], weights["output.bias"]
    if config.pooling == "last":
        pooled = torch.cat([h[-1, :H], h[0, H:]])
        found["labels"] = (h @ U.T + b).softmax(-1) if not config.bidirectional else None
    else:
        a = torch.full((len(h),), 1 / len(h), dtype=torch.float64)
        if config.pooling == "attention":
            W, c = weights["attention.states.weight"], weights["attention.states.bias"]
            a = ((h @ W.T + c).tanh() @ weights["attention.score.weight"][0]).softmax(0)
        pooled = sum(weight * state for weight, state in zip(a, h, strict=True))
        found |= {"attention": a, "evidence": a[:, None] * (h @ U.T)}
    return found | {"probabilities": (pooled @ U.T + b).softmax(-1)}


@EACH
def test_probabilities_and_what_pools_are_those_of_torchs_layers_and_the_formulas(runners, name):
    runner, tokens = runners[name], tokens_of(name)
    config = runner.network.config
    expected = by_hand(config, runner.network.state_dict(), tokens)
    found = runner.classify(tokens, None)
    torch.testing.assert_close(
        found.probabilities.double(), expected["probabilities"], atol=TOLERANCE, rtol=0
    )
    own = found.points.keys() & {"labels", "attention", "evidence"}
    assert (
        own
        == {
            "last": {"labels"} if not config.bidirectional else set(),
            "mean": {"evidence"},
            "attention": {"attention", "evidence"},
        }[config.pooling]
    )
    for point in own:
        torch.testing.assert_close(
            found.points[point].double(), expected[point], atol=TOLERANCE, rtol=0
        )


@EACH
def test_padding_and_its_neighbours_in_a_batch_do_not_change_a_text(runners, name):
    network = runners[name].network
    short, long = tokens_of(name, 3), tokens_of(name, 8)
    padded = torch.tensor([short + [1] * 5, long]).T
    together = network(padded, torch.tensor([3, 8]))
    for row, tokens in enumerate((short, long)):
        alone = runners[name].classify(tokens).probabilities
        torch.testing.assert_close(together[row].softmax(-1), alone, atol=TOLERANCE, rtol=0)


def test_the_label_after_each_step_is_that_of_the_text_that_ends_there(runners):
    runner, tokens = runners["toy-names"], tokens_of("toy-names")
    after = runner.classify(tokens, ["labels"]).points["labels"]
    for k in range(1, len(tokens) + 1):
        alone = runner.classify(tokens[:k]).probabilities
        torch.testing.assert_close(after[k - 1], alone, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("name", ["toy-mean", "toy-attention"])
def test_evidence_of_all_steps_and_the_bias_add_up_to_the_logits(runners, name):
    runner, tokens = runners[name], tokens_of(name)
    found = runner.classify(tokens, ["evidence"])
    logits = found.points["evidence"].sum(0) + runner.network.output.bias
    torch.testing.assert_close(logits.softmax(-1), found.probabilities, atol=TOLERANCE, rtol=0)


def test_a_part_of_a_trace_is_the_same_part_of_the_whole_one_in_both_directions(runners):
    runner, tokens = runners["toy-attention"], tokens_of("toy-attention")
    whole = runner.classify(tokens, None).points
    part, after, probability = runner.trace(tokens, None, 2, 5)
    assert after is None
    assert probability is None
    assert list(part) == [point.name for point in runner.points]
    assert {"rnn.0.h", "rnn.0.reverse.h", "attention"} <= part.keys()
    for name, values in part.items():
        assert torch.equal(values, whole[name][2:5])


def test_a_point_that_is_not_there_is_named(runners):
    with pytest.raises(UnknownPoint, match=r"rnn.0.q.*rnn.0.h"):
        runners["toy-names"].classify([1], ["rnn.0.q"])


def test_capital_letters_are_read_as_small_ones(runners):
    reads = runners["toy-names"].reads
    assert reads.encode("AbC-") == reads.encode("abc-")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": ["one"]}, "labels must be"),
        ({"labels": ["one", "one"]}, "labels must be"),
        ({"pooling": "max"}, "pooling is 'max'"),
        ({"cell": "mut1"}, "cell is 'mut1'"),
        ({"bidirectional": 1}, "bidirectional is 1"),
        ({"attention_size": 0}, "attention_size is 0"),
        ({"reads": "bytes"}, "reads is 'bytes'"),
        ({"vocab_size": 7}, "vocabulary.json holds 6"),
        ({"hidden_size": 5}, "rnn.weight_ih_l0 has shape"),
    ],
)
def test_a_config_that_cannot_be_is_refused_by_name(tmp_path, change, said):
    config = CLASSIFIERS["toy-attention"]
    write_labeller(tmp_path / "toy", config)
    path = tmp_path / "toy" / "config.json"
    told = json.loads(path.read_text("utf-8"))
    told["config"] |= change
    path.write_text(json.dumps(told), "utf-8")
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(tmp_path / "toy")


def test_a_start_is_that_of_its_seed_and_opens_the_forget_gate():
    config = replace(CLASSIFIERS["toy-both-ways"], hidden_size=4)
    one, two, three = (
        SequenceClassifier(config).initialize(torch.Generator().manual_seed(seed)).state_dict()
        for seed in (0, 0, 1)
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["rnn.weight_hh_l0"], three["rnn.weight_hh_l0"])
    assert one["rnn.bias_ih_l0_reverse"].tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8
