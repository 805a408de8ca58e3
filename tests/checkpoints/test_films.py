"""The two networks that read about films, one of which began from Shakespeare."""

import pytest

from models.training import films
from models.training.__main__ import data_folder
from models.training.language import evaluate
from tests.checkpoints.test_shipped import ROOT, about, card, opened

TUNED, SCRATCH, BASE = (
    ROOT / "checkpoints" / name for name in ("films-tuned", "films-scratch", films.BASE)
)
EACH = pytest.mark.parametrize("folder", [TUNED, SCRATCH], ids=lambda folder: folder.name)


@pytest.fixture(scope="module")
def data() -> films.Films:
    if not (data_folder() / films.FILMS.file).is_file():
        pytest.skip("the sentences are not there: the data are not part of the repository")
    return films.read(data_folder(), opened(TUNED).characters.symbols)


@EACH
def test_the_card_states_the_figures_of_the_config(folder):
    told, text = about(folder), card(folder)
    for name in ("test_nats", "test_bits", "validation_nats", "ngram_test_nats"):
        assert f"{told['figures'][name]:.3f}" in text, name
    assert told["data"]["sha256"] in text
    assert told["data"]["origin"] in text


def test_both_are_the_network_they_began_from_in_shape_and_alphabet():
    assert about(TUNED)["config"] == about(SCRATCH)["config"] == about(BASE)["config"]
    assert opened(TUNED).characters.symbols == opened(BASE).characters.symbols


def test_the_tuned_network_has_stayed_nearer_to_where_it_began_than_the_other_is():
    began = opened(BASE).network.rnn.weight_hh_l0
    tuned, scratch = (
        (opened(folder).network.rnn.weight_hh_l0 - began).norm() for folder in (TUNED, SCRATCH)
    )
    assert tuned < 0.5 * scratch


def test_tuning_is_better_than_starting_over_at_every_amount_of_data_and_less_so_at_the_largest():
    rows = about(TUNED)["figures"]["by_size"]
    gaps = [row["scratch"]["mean"] - row["tuned"]["mean"] for row in rows]
    assert min(gaps) > 0
    assert gaps[-1] < 0.5 * gaps[0]


def test_the_checkpoints_are_the_first_seed_of_their_row():
    row = next(r for r in about(TUNED)["figures"]["by_size"] if r["characters"] == films.KEPT)
    assert row["tuned"]["test"][0] == about(TUNED)["figures"]["test_nats"]
    assert row["scratch"]["test"][0] == about(SCRATCH)["figures"]["test_nats"]


@EACH
def test_the_stated_figure_is_measured_again_on_the_test_sentences(folder, data):
    nats = evaluate(opened(folder).network, data.tokens("test"))
    assert nats == pytest.approx(about(folder)["figures"]["test_nats"], abs=5e-4)
    assert len(data.tokens("test")) == about(folder)["figures"]["test_characters"]


def test_the_untuned_network_reads_them_as_the_card_of_the_tuned_one_says(data):
    network = opened(BASE).network
    stated = about(TUNED)["figures"]["untuned"]["test"]
    assert evaluate(network, data.tokens("test")) == pytest.approx(stated, abs=5e-4)
    assert f"| 0 (untuned) | {stated:.3f} |" in card(TUNED)
