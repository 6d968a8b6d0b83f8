"""Fixtures and rules for all tests."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from terranas import cli

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


@pytest.fixture
def command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command ``terranas`` in this process; return (exit code, output, errors)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["terranas", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    return call


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Where TERRANAS_FORBID_SKIPS is set, a service-backed test that skips has failed."""
    report = yield
    service = any(item.get_closest_marker(name) for name in ("cluster", "browser"))
    if report.skipped and service and os.environ.get("TERRANAS_FORBID_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped although skips are forbidden here: {report.longrepr}"
    return report
