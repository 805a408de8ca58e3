import math

import pytest

from tests.backend.engine.toys import Script, job


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"prefix": ()}, "prefix"),
        ({"prefix": (0, 10)}, r"prefix\[1\]"),
        ({"prefix": (-1,)}, r"prefix\[0\]"),
        ({"max_new_tokens": -1}, "max_new_tokens"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"temperature": math.inf}, "temperature"),
        ({"top_k": -1}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.5}, "top_p"),
        ({"start": 4}, "start"),
        ({"start": -1}, "start"),
    ],
)
def test_a_job_that_cannot_be_is_refused_with_the_name_of_the_field(settings, name):
    with pytest.raises(ValueError, match=name):
        job(Script(), **settings)


def test_the_length_counts_the_prefix():
    assert job(Script(), prefix=(1, 2), max_new_tokens=5).length == 7
