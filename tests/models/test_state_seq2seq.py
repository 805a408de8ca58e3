"""Encoder and decoder joined by the state alone, beside `torch.nn`'s own layers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.beam import Beam
from models.checkpoint import CheckpointError, read_checkpoint
from models.kinds import build
from models.writing import Step
from tests.toys.translators import HANDOVERS, SOUNDS, write_handover

CLOSE = 1e-5  # absolute, float32 against float32


@pytest.fixture(params=HANDOVERS)
def toy(request, tmp_path):
    network = write_handover(tmp_path, request.param)
    return network, build(read_checkpoint(tmp_path))


def written(runner, source, **options):
    items = list(runner.translate(source, **options))
    return [one for one in items if isinstance(one, Step)], items[-1]


def test_every_step_has_the_probabilities_and_states_of_torch_s_layers(toy):
    network, runner = toy
    source = runner.read("abba")
    steps, end = written(runner, source, max_new_tokens=7)
    tokens = [runner.target.begin, *end.token_ids[:-1]]
    logits = network(torch.tensor(source.ids)[:, None], torch.tensor(tokens)[:, None])[:, 0]
    expected = logits.softmax(-1)
    state = network.encoder(network.source_embedding(torch.tensor(source.ids)[:, None]))[1]
    y = network.target_embedding(torch.tensor(tokens)[:, None])
    y = y.clamp(min=0) if network.config.decoder_input == "relu" else y
    h, _ = network.decoder(y, state)
    last = network.config.num_layers - 1
    for k, step in enumerate(steps):
        assert step.probability == pytest.approx(expected[k, step.token_id].item(), abs=CLOSE)
        ours = step.points[f"decoder.{last}.h"]
        np.testing.assert_allclose(ours, h[k, 0].numpy(), atol=CLOSE)


def test_the_points_of_the_encoder_are_those_of_torch_s_layer(toy):
    network, runner = toy
    source = runner.read("cabd")
    found = runner.source_points(source, None)
    h, _ = network.encoder(network.source_embedding(torch.tensor(source.ids)[:, None]))
    ours = found[f"encoder.{network.config.num_layers - 1}.h"]
    np.testing.assert_allclose(ours, h[:, 0].numpy(), atol=CLOSE)
    assert set(found) == {p.name for p in runner.points if "source" in p.axes}


def test_the_gates_of_a_step_make_its_state(tmp_path):
    write_handover(tmp_path, "toy-handover-gru")
    runner = build(read_checkpoint(tmp_path))
    source = runner.read("abc")
    steps, _ = written(runner, source, max_new_tokens=4)
    before = runner.source_points(source, ["encoder.0.h"])["encoder.0.h"][-1]
    for step in steps:  # the first begins where the encoder ended
        z, n, h = (step.points[f"decoder.0.{letter}"] for letter in "znh")
        np.testing.assert_allclose(h, (1 - z) * n + z * before, atol=1e-6)
        before = h


def test_the_marks_of_the_vocabulary_begin_and_end_a_text(tmp_path):
    network = write_handover(tmp_path, "toy-handover-gru", ends=True)
    runner = build(read_checkpoint(tmp_path))
    assert (runner.target.begin, network.config.target_size) == (2, len(SOUNDS))
    steps, end = written(runner, runner.read("ab"), max_new_tokens=9)
    assert end.ended
    assert end.token_ids[-1] == SOUNDS.index("</s>") == steps[-1].token_id
    assert "</s>" not in end.text
    with pytest.raises(ValueError, match="cannot stand inside"):
        runner.translate(runner.read("ab"), prefix=(SOUNDS.index("<s>"),))
    with pytest.raises(ValueError, match="attention"):
        runner.translate(runner.read("ab"), force={0: 0})


def test_a_search_as_wide_as_the_vocabulary_finds_the_likeliest_of_all_pairs(toy):
    network, runner = toy
    source = runner.read("cabd")
    begin, V = runner.target.begin, len(SOUNDS)
    sources = torch.tensor(source.ids)[:, None].expand(-1, V)
    log_p = network(sources, torch.tensor([[begin] * V, list(range(V))])).log_softmax(-1)
    pairs = log_p[0, 0][:, None] + log_p[1]  # (first, second)
    pairs[[begin, runner.target.end]] = pairs[:, begin] = -torch.inf
    items = list(runner.translate(source, beam_size=8, max_new_tokens=2))
    assert isinstance(items[0], Beam)
    found = max(items[-1].hypotheses, key=lambda one: one.log_probability)
    assert found.token_ids == list(divmod(int(pairs.argmax()), V))
    assert found.log_probability == pytest.approx(pairs.max().item(), abs=CLOSE)


def test_a_prefix_is_kept(toy):
    _, runner = toy
    prefix = (SOUNDS.index("K"), SOUNDS.index("B"))
    for beam_size in (1, 2):
        _, end = written(runner, runner.read("a"), beam_size=beam_size, prefix=prefix)
        assert tuple(end.token_ids[:2]) == prefix


def test_a_folder_that_does_not_fit_together_says_why(tmp_path):
    write_handover(tmp_path, "toy-handover-gru")
    files = read_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match=r"source\.tokenizer\.json is missing"):
        build(replace(files, tokenizers={}))
    for name, value in (
        ("target_size", 99),
        ("cell", "mut1"),
        ("num_layers", 0),
        ("decoder_input", "gelu"),
    ):
        about = {**files.about, "config": {**files.about["config"], name: value}}
        with pytest.raises(CheckpointError, match=name):
            build(replace(files, about=about))
