"""Fixtures of the report's tests."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from terranas.report.content import StudyResults

from .small_site import SmallSite, write_small_site
from .small_study import failed, failure, study_results

Factory = Callable[..., StudyResults]


@pytest.fixture(scope="session")
def make_results() -> Factory:
    """Return a function that makes results; its arguments replace settings (``title``, ``dataset``, ...) or tables."""
    return study_results


@pytest.fixture(scope="session")
def stand_in() -> SimpleNamespace:
    """Return the functions that make single tables, and the settings they share."""
    return SimpleNamespace(failed=failed, failure=failure)


@pytest.fixture(scope="session")
def results(make_results: Factory) -> StudyResults:
    return make_results()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> SmallSite:
    """The report of a small study with stand-in figures."""
    return write_small_site(tmp_path_factory.mktemp("study"))
