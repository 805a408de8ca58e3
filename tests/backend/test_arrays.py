from base64 import b64decode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import Array, encode
from tests.backend.serving import decode

shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)


@given(hnp.arrays(np.float32, shapes))
def test_every_float_survives_the_trip_bit_for_bit_nan_and_infinity_too(values):
    back = decode(encode(values))
    assert back.shape == values.shape
    assert back.tobytes() == values.tobytes()


@given(hnp.arrays(np.uint8, shapes))
def test_bytes_travel_as_bytes(values):
    sent = encode(values)
    assert sent["dtype"] == "u1"
    assert np.array_equal(decode(sent), values)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.0, 1e-45, 3.4028235e38])
def test_the_numbers_json_has_no_words_for_arrive(value):
    (back,) = decode(encode(np.array([value], np.float32)))
    assert np.float32(value).tobytes() == back.tobytes()


@given(hnp.arrays(st.sampled_from([np.float16, np.float64, ">f4", np.int64, bool]), (2, 3)))
def test_every_other_type_becomes_little_endian_float32(values):
    with np.errstate(over="ignore"):
        expected = values.astype("<f4")
        sent = encode(values)
    assert sent["dtype"] == "f4"
    assert decode(sent).tobytes() == expected.tobytes()


def test_the_shape_is_text_with_a_comma_and_a_space():
    assert encode(np.zeros((12, 256)))["shape"] == "12, 256"
    assert encode(np.zeros(7))["shape"] == "7"


def test_the_last_axis_is_the_fastest_whatever_the_order_in_memory():
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    for same in (np.asfortranarray(values), values.T.copy().T, values[::-1][::-1]):
        raw = b64decode(encode(same)["bdata"])
        assert np.frombuffer(raw, "<f4").tolist() == [0, 1, 2, 3, 4, 5]


def test_what_is_encoded_is_what_the_description_of_the_api_promises():
    Array.model_validate(encode(np.zeros((2, 2))), strict=True)
