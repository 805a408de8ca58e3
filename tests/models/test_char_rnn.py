import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.char_rnn import CharRNN, CharRNNConfig, CharRunner, open_checkpoint
from models.checkpoint import CheckpointError, read_checkpoint
from models.text import Characters
from tests.oracle import by_hand
from tests.toys import CONFIGS, SYMBOLS, TEXT, network, write_toy

TOLERANCE = 1e-5  # float32 against float64, absolute


def runner(name: str, capacity: int = 4) -> CharRunner:
    return CharRunner(network(CONFIGS[name]), Characters(SYMBOLS), capacity)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_trace_agrees_with_torchs_own_cells_at_every_gate_and_step(name, road):
    run = runner(name)
    tokens = run.characters.encode(TEXT * 3)
    values, after, probability = run.trace(tokens, None, 0, len(tokens))
    points, logits = by_hand(CONFIGS[name].cell, run.network.state_dict(), tokens)
    assert list(values) == [point.name for point in run.points]
    assert values.keys() == points.keys()
    for point, expected in points.items():
        torch.testing.assert_close(values[point].double(), expected, atol=TOLERANCE, rtol=0)
    expected = logits.softmax(-1)
    torch.testing.assert_close(after.double(), expected, atol=TOLERANCE, rtol=0)
    given_before = expected[torch.arange(len(tokens) - 1), tokens[1:]]
    torch.testing.assert_close(probability[1:].double(), given_before, atol=TOLERANCE, rtol=0)
    assert math.isnan(probability[0])


@pytest.mark.parametrize("name", CONFIGS)
def test_the_steps_of_the_engine_agree_with_the_trace_of_the_whole_text(name, road):
    run = runner(name)
    tokens = run.characters.encode(TEXT)
    values, after, _ = run.trace(tokens, None, 0, len(tokens))
    slot = np.array([2])
    for t, token in enumerate(tokens):
        capture, logits = run.stepper.step(slot, np.array([token]))
        for point, start, stop in run.layout:
            np.testing.assert_allclose(capture[0, start:stop], values[point][t], atol=TOLERANCE)
        drawn_from = torch.from_numpy(logits[0].copy()).softmax(-1)
        torch.testing.assert_close(drawn_from, after[t], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_layout_of_a_step_names_the_points_of_the_network_in_their_order(name):
    run = runner(name)
    assert [point for point, _, _ in run.layout] == [point.name for point in run.points]


@settings(max_examples=40)
@given(st.data())
def test_a_part_of_a_trace_is_the_same_part_of_the_whole_one(data):
    run = runner(data.draw(st.sampled_from(list(CONFIGS))))
    tokens = data.draw(st.lists(st.integers(0, len(SYMBOLS) - 1), min_size=1, max_size=40))
    start = data.draw(st.integers(0, len(tokens) - 1))
    stop = data.draw(st.integers(start + 1, len(tokens)))
    whole, all_after, all_probability = run.trace(tokens, None, 0, len(tokens))
    part, after, probability = run.trace(tokens, None, start, stop)
    for point in whole:
        torch.testing.assert_close(part[point], whole[point][start:stop], atol=1e-6, rtol=0)
    torch.testing.assert_close(after, all_after[start:stop], atol=1e-6, rtol=0)
    torch.testing.assert_close(
        probability, all_probability[start:stop], atol=1e-6, rtol=0, equal_nan=True
    )


@settings(max_examples=40)
@given(st.data())
def test_points_stay_inside_the_range_they_declare(data):
    run = runner(data.draw(st.sampled_from(list(CONFIGS))))
    tokens = data.draw(st.lists(st.integers(0, len(SYMBOLS) - 1), min_size=1, max_size=30))
    values, after, _ = run.trace(tokens, None, 0, len(tokens))
    low = {"signed": -1, "unit": 0, "real": -math.inf}
    for point in run.points:
        assert values[point.name].min() >= low[point.range]
        assert values[point.name].max() <= (math.inf if point.range == "real" else 1)
        assert values[point.name].shape == (len(tokens), point.shape[1])
        assert point.axes == ("time", "unit")
    torch.testing.assert_close(after.sum(-1), torch.ones(len(tokens)), atol=1e-5, rtol=0)


def test_only_the_points_asked_for_are_returned_in_the_order_they_were_asked():
    run = runner("toy-lstm")
    values, _, _ = run.trace([0, 1, 2], ["rnn.1.c", "rnn.0.f"], 0, 3)
    assert list(values) == ["rnn.1.c", "rnn.0.f"]
    assert run.trace([0, 1, 2], [], 0, 3)[0] == {}


def test_a_trace_leaves_nothing_behind_for_the_next():
    run = runner("toy-gru")
    first = run.trace([1, 2, 3], None, 0, 3)
    run.trace([4, 5, 6, 7], None, 2, 4)
    again = run.trace([1, 2, 3], None, 0, 3)
    assert all(torch.equal(first[0][point], again[0][point]) for point in first[0])


@pytest.mark.parametrize("name", CONFIGS)
def test_the_network_as_it_is_trained_gives_the_logits_of_the_oracle(name):
    built = network(CONFIGS[name])
    tokens = Characters(SYMBOLS).encode(TEXT)
    logits, _ = built(torch.tensor(tokens)[:, None])
    _, expected = by_hand(CONFIGS[name].cell, built.state_dict(), tokens)
    torch.testing.assert_close(logits[:, 0].double(), expected, atol=TOLERANCE, rtol=0)


def test_a_state_carried_over_reads_two_halves_as_one_text():
    built = network(CONFIGS["toy-lstm"])
    tokens = torch.tensor(Characters(SYMBOLS).encode(TEXT))[:, None]
    whole, _ = built(tokens)
    first, state = built(tokens[:10])
    second, _ = built(tokens[10:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole, atol=1e-6, rtol=0)


def test_dropout_acts_while_training_only():
    config = replace(CONFIGS["toy-lstm"], dropout=0.5)
    built, tokens = network(config), torch.arange(10)[:, None]
    assert torch.equal(built(tokens)[0], built(tokens)[0])
    torch.manual_seed(0)
    built.train()
    assert not torch.equal(built(tokens)[0], built(tokens)[0])


def test_without_an_embedding_the_input_is_one_hot():
    built = network(CONFIGS["toy-rnn"])
    assert torch.equal(built.embed(torch.arange(len(SYMBOLS))), torch.eye(len(SYMBOLS)))


def initialized(config: CharRNNConfig, seed: int) -> CharRNN:
    return CharRNN(config).initialize(torch.Generator().manual_seed(seed))


def test_a_seed_fixes_the_start_and_leaves_the_global_generator_out_of_it():
    config = CONFIGS["toy-lstm"]
    torch.manual_seed(1)
    one = initialized(config, 5).state_dict()
    torch.manual_seed(2)
    two = initialized(config, 5).state_dict()
    other = initialized(config, 6).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["rnn.weight_hh_l0"], other["rnn.weight_hh_l0"])


@pytest.mark.parametrize("name", CONFIGS)
def test_every_recurrent_block_starts_orthogonal(name):
    built, H = initialized(CONFIGS[name], 0), CONFIGS[name].hidden_size
    blocks = [
        block
        for parameter, value in built.named_parameters()
        if "weight_hh" in parameter
        for block in value.detach().split(H)
    ]
    assert len(blocks) == CONFIGS[name].num_layers * {"lstm": 4, "gru": 3}.get(
        CONFIGS[name].cell, 1
    )
    for block in blocks:
        torch.testing.assert_close(block @ block.T, torch.eye(H), atol=1e-5, rtol=0)


def test_the_forget_gate_of_an_lstm_starts_open_and_no_other_does():
    config = CONFIGS["toy-lstm"]
    built, H = initialized(config, 0), config.hidden_size
    for layer in range(config.num_layers):
        bias = built.get_parameter(f"rnn.bias_ih_l{layer}") + built.get_parameter(
            f"rnn.bias_hh_l{layer}"
        )
        assert bias.tolist() == [0] * H + [1] * H + [0] * 2 * H  # i, f, g, o


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": "transformer"}, "cell is 'transformer', expected one of rnn_tanh"),
        ({"cell": ["lstm"]}, r"cell is \['lstm'\], expected one of rnn_tanh"),
        ({"hidden_size": 0}, r"hidden_size is 0, expected an integer 1\.\.8192"),
        ({"hidden_size": 10**9}, r"hidden_size is 1000000000, expected an integer 1\.\.8192"),
        ({"hidden_size": "12"}, r"hidden_size is '12', expected an integer 1\.\.8192"),
        ({"hidden_size": 12.5}, r"hidden_size is 12\.5, expected an integer"),
        ({"num_layers": True}, r"num_layers is True, expected an integer 1\.\.16"),
        ({"num_layers": 17}, r"num_layers is 17, expected an integer 1\.\.16"),
        ({"embedding_size": -1}, r"embedding_size is -1, expected an integer 0\.\.8192"),
        ({"vocab_size": None}, r"vocab_size is None, expected an integer"),
        ({"dropout": 1.5}, r"dropout is 1\.5, expected a number 0\.\.1"),
        ({"dropout": "high"}, r"dropout is 'high', expected a number 0\.\.1"),
        ({"dropout": math.nan}, r"dropout is nan, expected a number 0\.\.1"),
    ],
)
def test_a_size_that_no_network_has_is_refused_with_what_is_expected(change, message):
    with pytest.raises(CheckpointError, match=message):
        replace(CONFIGS["toy-lstm"], **change).check()


def reopened(folder, **changes):
    path = folder / "config.json"
    about = json.loads(path.read_text())
    about["config"] |= changes
    path.write_text(json.dumps(about))
    return open_checkpoint(read_checkpoint(folder))


def test_a_checkpoint_opens_to_the_network_it_was_written_from(tmp_path):
    built = write_toy(tmp_path / "toy", CONFIGS["toy-gru"])
    opened = open_checkpoint(read_checkpoint(tmp_path / "toy"))
    tokens = opened.characters.encode(TEXT)
    points, _ = by_hand("gru", built.state_dict(), tokens)
    values, _, _ = opened.trace(tokens, None, 0, len(tokens))
    for point in points:
        torch.testing.assert_close(values[point].double(), points[point], atol=TOLERANCE, rtol=0)


def test_a_vocabulary_of_another_size_is_refused_with_both_sizes(tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-gru"])
    size = len(SYMBOLS)
    message = rf"vocabulary\.json holds {size} symbols, config\.json says vocab_size {size + 1}"
    with pytest.raises(CheckpointError, match=message):
        reopened(tmp_path / "toy", vocab_size=size + 1)


def test_a_field_nobody_knows_is_refused_by_name(tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-gru"])
    with pytest.raises(CheckpointError, match=r"config\.json: .*colour"):
        reopened(tmp_path / "toy", colour="blue")


def test_weights_of_another_size_are_refused_by_the_name_of_the_tensor(tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-gru"])
    message = r"rnn\.weight_ih_l0 has shape \(27, \d+\), expected \(30, \d+\)"
    with pytest.raises(CheckpointError, match=message):
        reopened(tmp_path / "toy", hidden_size=10)


def test_a_symbol_of_two_characters_is_refused_by_the_name_of_the_file(tmp_path):
    write_toy(tmp_path / "toy", CONFIGS["toy-gru"])
    path = tmp_path / "toy" / "vocabulary.json"
    path.write_text(json.dumps(["ab", *SYMBOLS[1:]]))
    with pytest.raises(CheckpointError, match=r"vocabulary\.json.*one character"):
        open_checkpoint(read_checkpoint(tmp_path / "toy"))
