import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """One thread: the processors may be busy with other things."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
