from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import serve
from tests.toys.pictures import write_captioner


@pytest.fixture(scope="package")
def server(root: Path, tmp_path_factory) -> Iterator[str]:
    """A server of toys that describe pictures."""
    folder = tmp_path_factory.mktemp("captioners")
    for id in ("toy-soft", "toy-hard", "toy-blind"):
        write_captioner(folder / id, id)
    with serve(root, folder, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address
