import errno
import os

import pytest

from models.kernels import compiled, numba
from models.prepare import _keep_where_there_is_room


@pytest.mark.skipif(numba is None, reason="there is no compiler here")
def test_a_kernel_that_a_full_disk_does_not_take_runs_all_the_same(monkeypatch):
    from numba.core.caching import FunctionCache, IndexDataCacheFile

    tried = []

    def full(*arguments):
        tried.append(arguments)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(IndexDataCacheFile, "save", full)
    monkeypatch.setattr(FunctionCache, "save_overload", FunctionCache.save_overload)  # restored
    _keep_where_there_is_room()
    _keep_where_there_is_room()  # once is enough
    assert compiled(lambda x: 3 * x)(14) == 42
    assert len(tried) == 1
