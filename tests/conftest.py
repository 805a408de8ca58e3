"""What every test shares. The tiers run from the fastest to the slowest."""

from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
# In this order. The browser comes last for a second reason: once Playwright has started, its
# event loop counts as running in the main thread, and `asyncio.run` refuses to start another.
TIERS = ("checkpoints", "browser")

# The same examples on every run, and no deadline: no test here asserts a time.
settings.register_profile("unrolled", deadline=None, derandomize=True, database=None)
settings.load_profile("unrolled")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of tests/checkpoints and tests/browser after their folder; run them last."""
    rank = {}
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if folder in TIERS:
            item.add_marker(getattr(pytest.mark, folder))
        rank[item] = max(
            (TIERS.index(m.name) + 1 for m in item.iter_markers() if m.name in TIERS), default=0
        )
    items.sort(key=rank.__getitem__)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def checkpoints(root: Path) -> Path:
    """The folder of the checkpoints that come with the repository."""
    return root / "checkpoints"
