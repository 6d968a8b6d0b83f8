"""Fixtures and rules for all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# an example may take long on a busy machine, and the first one compiles
settings.register_profile("terranas", deadline=None)
settings.load_profile("terranas")

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with data measured by others; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder with data measured by others is not beside this checkout (../shared/data)")
    return SHARED_DATA


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Where TERRANAS_FORBID_SKIPS is set, a service-backed test that skips has failed."""
    report = yield
    service = any(item.get_closest_marker(name) for name in ("cluster", "browser"))
    if report.skipped and service and os.environ.get("TERRANAS_FORBID_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped although skips are forbidden here: {report.longrepr}"
    return report
