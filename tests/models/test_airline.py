import pytest
import torch

from models import airline
from models.airline import TEST, TRAIN, VALIDATION, Scale

YEARS = (1520, 1676, 2042, 2364, 2700, 2867, 3408, 3939, 4421, 4572, 5140, 5714)


def test_the_months_are_those_of_box_and_jenkins():
    months = airline.MONTHS
    assert len(months) == 144
    assert sum(months) == 40363
    assert (months[0], months[-1]) == (112, 432)
    assert max(months) == 622
    assert airline.month_name(months.index(622)) == "1960-07"
    assert tuple(sum(months[12 * k : 12 * k + 12]) for k in range(12)) == YEARS


def test_the_parts_follow_one_another_in_time_and_leave_nothing_out():
    months = list(range(144))
    assert months[TRAIN] + months[VALIDATION] + months[TEST] == months
    assert airline.month_name(TEST.start) == "1959-01"


@pytest.mark.parametrize("size", [1, 2, 12, 143])
def test_a_window_is_followed_by_its_target(size):
    values = airline.series()
    x, y = airline.windows(values, size)
    assert x.shape == (144 - size, size, 1)
    assert y.shape == (144 - size, 1)
    for k in (0, len(x) - 1):
        assert x[k, :, 0].tolist() == values[k : k + size].tolist()
        assert y[k, 0] == values[k + size]


@pytest.mark.parametrize("size", [0, 144, 200])
def test_a_window_that_leaves_no_pair_is_refused(size):
    with pytest.raises(ValueError, match=r"expected 1\.\.143"):
        airline.windows(airline.series(), size)


def test_the_pairs_of_a_part_have_its_months_as_targets_and_reach_back_before_it():
    values = airline.series()
    x, y = airline.part(values, 12, TEST)
    assert y[:, 0].tolist() == values[TEST].tolist()
    assert x[0, :, 0].tolist() == values[108:120].tolist()
    x, y = airline.part(values, 12, TRAIN)
    assert y[:, 0].tolist() == values[12:96].tolist()  # before them no window is whole
    assert x.max() <= values[TRAIN].max()


def test_min_max_takes_what_it_was_fitted_on_to_0_and_1_and_the_rest_beyond():
    values = airline.series()
    scale = Scale.fit(values[TRAIN])
    scaled = scale.apply(values)
    assert (scaled[TRAIN].min(), scaled[TRAIN].max()) == (0, 1)
    assert scaled[TEST].max() > 1.5
    torch.testing.assert_close(scale.undo(scaled), values, rtol=1e-6, atol=0)


def test_divided_by_the_old_maximum_the_largest_value_falls_short_of_1():
    values = airline.series()
    wrong = Scale.divided_by_maximum(values)
    assert wrong.apply(values).max().item() == pytest.approx((622 - 104) / 622)
    torch.testing.assert_close(wrong.undo(wrong.apply(values)), values, rtol=1e-6, atol=0)
    mixed = Scale.fit(values).undo(wrong.apply(values))
    assert (values - mixed).max() > 80


def test_the_naive_forecasts_are_the_month_before_and_the_month_a_year_before():
    values = airline.series()
    assert airline.naive(values, TEST)[0] == 337  # December 1958
    assert airline.seasonal_naive(values, TEST)[0] == 340  # January 1958
    assert airline.rmse(airline.naive(values, TEST), values[TEST]) == pytest.approx(51.78, abs=0.01)
    seasonal = airline.seasonal_naive(values, TEST)
    assert airline.rmse(seasonal, values[TEST]) == pytest.approx(49.99, abs=0.01)
