"""The two roads of the cells: compiled kernels, and torch."""

import pytest

from models import kernels


@pytest.fixture(scope="session")
def compiled() -> None:
    """The kernels are compiled; skips where numba is not there."""
    if not kernels.warm_up():
        pytest.skip("numba is not installed")


@pytest.fixture(params=["kernels", "torch"])
def road(request, monkeypatch) -> str:
    """Which road computes: the test runs once for each."""
    if request.param == "kernels":
        request.getfixturevalue("compiled")
    else:
        monkeypatch.setattr(kernels, "ready", lambda: False)
    return request.param
