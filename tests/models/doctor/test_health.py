"""Health finds what was planted, and says nothing of a sound network."""

import numpy as np
import pytest
import torch

from models.doctor import diagnose
from tests.models.doctor.practice import FUSED, SYMBOLS, E, H, V, Written, held, seeded

TOLD = {"vocabulary": SYMBOLS, "nonlinearity": "tanh"}


def findings(tensors, told=TOLD) -> dict:
    return {finding.name: finding for finding in diagnose(tensors, {}, told).health}


def planted(cell: str = "lstm") -> dict:
    return {name: value.copy() for name, value in held(seeded(Written, cell)).items()}


def test_a_sound_network_has_nothing_to_look_at():
    levels = {finding.name: finding.level for finding in findings(planted()).values()}
    assert set(levels.values()) == {"good"}, levels
    assert {"dead_units", "saturated", "keeps", "forget_bias", "recurrence", "rows"} < levels.keys()


def test_dead_units_are_counted_and_named():
    tensors = planted()
    for name in ("rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0"):
        for unit in (2, 5):
            tensors[name][2 * H + unit] = 0  # g = tanh(0): nothing is ever written
    found = findings(tensors)["dead_units"]
    assert (found.value, found.where, found.level) == (2, "2, 5", "bad")


def test_saturated_gates_are_counted_and_named():
    tensors = planted()
    tensors["rnn.bias_ih_l0"][H : 2 * H] = 40.0  # every forget gate is open for good
    found = findings(tensors)
    assert found["saturated"].value["f"] == 1.0
    assert found["saturated"].level == "look"
    assert found["saturated"].where.startswith("f: 0, 1")
    assert found["keeps"].level == "look"
    assert found["forget_bias"].value == pytest.approx(
        40 + float(tensors["rnn.bias_hh_l0"][H : 2 * H].mean()), abs=1e-3
    )


def test_rows_of_an_embedding_that_say_nothing_are_named_with_their_symbols():
    tensors = planted()
    tensors["emb.weight"][[3, 7]] = 0
    tensors["emb.weight"][4] *= 1e-3
    tensors["emb.weight"][9] = tensors["emb.weight"][8]
    found = findings(tensors)
    assert (found["zero_rows"].value, found["zero_rows"].where) == (2, "3 'b', 7 'f'")
    assert (found["faint_rows"].value, found["faint_rows"].where) == (1, "4 'c'")
    assert (found["same_rows"].value, found["same_rows"].where) == (1, "9 'h'")
    tensors["emb.weight"][:] = planted()["emb.weight"]
    tensors["emb.weight"][0] = 0
    assert findings(tensors)["zero_rows"].level == "good"  # as padding is


def test_weights_as_torch_draws_them_are_asked_about():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fresh = held(torch.nn.LSTM(E, 32))
    network = {f"rnn.{name}": value for name, value in fresh.items()}
    network |= {
        "emb.weight": np.ones((V, E), np.float32),
        "fc.weight": np.ones((V, 32), np.float32),
    }
    assert findings(network)["untouched"].level == "look"
    assert "untouched" not in findings(planted())


@pytest.mark.parametrize("cell", FUSED)
def test_the_recurrence_is_measured_block_by_block(cell):
    tensors = planted(cell)
    found = findings(tensors, TOLD | {"nonlinearity": cell[4:] or "tanh"})["recurrence"].value
    blocks = np.split(tensors["rnn.weight_hh_l0"].astype(float), len(found))
    for block, (radius, norm) in zip(blocks, found.values(), strict=True):
        assert radius == pytest.approx(np.abs(np.linalg.eigvals(block)).max(), rel=1e-3)
        assert norm == pytest.approx(np.linalg.norm(block, 2), rel=1e-3)


def test_wide_layers_are_measured_by_iteration_as_well():
    from models.doctor.health import norms, radii

    generator = torch.Generator().manual_seed(1)
    block = torch.randn(1, 300, 300, generator=generator) / 300**0.5
    exact = torch.linalg.eigvals(block).abs().amax()
    assert radii(block).item() == pytest.approx(exact.item(), rel=0.05)
    assert norms(block).item() == pytest.approx(torch.linalg.matrix_norm(block, 2).item(), rel=1e-2)


def test_a_number_that_is_far_from_all_others_is_pointed_at():
    tensors = planted()
    tensors["rnn.weight_ih_l0"] = (
        np.random.default_rng(0).normal(size=(4 * H, E)).astype(np.float32)
    )
    assert findings(tensors)["outliers"].level == "good"
    wide = np.random.default_rng(0).normal(size=(400, 90)).astype(np.float32)
    wide[5, 5] = 90.0
    names = {"rnn.weight_ih_l0": wide, "rnn.weight_hh_l0": wide[:, :100].copy()}
    names["rnn.weight_hh_l0"] = np.random.default_rng(1).normal(size=(400, 100)).astype(np.float32)
    names["emb.weight"] = np.random.default_rng(2).normal(size=(V, 90)).astype(np.float32)
    names["fc.weight"] = np.random.default_rng(3).normal(size=(V, 100)).astype(np.float32)
    found = findings(names)["outliers"]
    assert (found.level, found.where) == ("look", "rnn.weight_ih_l0")
