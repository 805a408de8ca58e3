"""The forecasters as they are stored: the figures of their cards."""

import json
from functools import cache
from pathlib import Path

import pytest

from models import airline as months
from models.kinds import open_checkpoint
from models.training.airline import CELLS, baselines, figures

FOLDER = Path(__file__).resolve().parent.parent.parent / "checkpoints"
EACH = pytest.mark.parametrize("id", CELLS)


@cache
def about(id: str) -> dict:
    return json.loads((FOLDER / id / "config.json").read_text("utf-8"))


@EACH
def test_the_figures_of_the_card_are_those_of_the_stored_weights(id):
    found = figures(open_checkpoint(FOLDER / id).network)
    assert found == pytest.approx(about(id)["figures"]["rmse"], abs=0.02)


@EACH
def test_the_forecasts_it_is_held_against_are_those_of_the_same_months(id):
    for name, of in baselines().items():
        assert of == pytest.approx(about(id)["figures"][f"{name}_rmse"], abs=0.006)


@EACH
def test_its_scale_knows_the_training_part_alone(id):
    config = about(id)["config"]
    assert (config["low"], config["high"]) == (104, 413)


@EACH
def test_it_beats_the_month_before_on_the_years_after_its_training(id):
    told = about(id)["figures"]
    assert told["rmse"]["validation"] < 0.6 * told["naive_rmse"]["validation"]


@EACH
def test_the_table_of_all_seeds_says_that_a_window_of_a_year_is_best(id):
    spread = about(id)["figures"]["by_window"]
    assert min(spread, key=lambda window: spread[window]["test"]["mean"]) == "12"


def test_a_forecast_that_reads_itself_flattens_out():
    runner = open_checkpoint(FOLDER / "airline-rnn")
    years = runner.ahead(months.series()[:120], 48).reshape(4, 12)
    spans = (years.max(1).values - years.min(1).values).tolist()
    assert spans == pytest.approx([128, 79, 43, 23], abs=0.6)
