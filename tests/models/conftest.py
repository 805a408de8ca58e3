"""The two roads of the cells, compiled kernels and torch, and the threads that tests may take."""

import pytest
import torch

from models import kernels


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Toy matrices are too small to share out."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
