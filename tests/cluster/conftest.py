"""A Slurm cluster for the session, and studies to send to it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from .slurm import Cluster, why_not
from .studies import Study


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Slurm of one's own, which ends with the session."""
    if reason := why_not():
        pytest.skip(reason)
    with Cluster(tmp_path_factory.mktemp("slurm")).running() as started:
        yield started


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Callable[[Mapping[str, Any]], Study]:
    """Return a function that gives a study whose trainings can begin; those with the same images share one."""
    made: dict[str, Study] = {}

    def prepare(settings):
        wanted = {name: settings.get(name, {}) for name in ("space", "data", "sampling")}
        key = json.dumps(wanted, sort_keys=True)
        if key not in made:
            study = Study(tmp_path_factory.mktemp("prepared"), settings)
            study.prepare()
            made[key] = study
        return made[key]

    return prepare


@pytest.fixture
def studies(tmp_path, cluster, prepared):
    """Return a function that makes a prepared study in a folder of its own; what it started ends with the test."""
    with ExitStack() as stack:

        def make(name="study", settings=None, **arguments):
            study = Study(tmp_path / name, settings or {}, **arguments)
            study.take_over(prepared(settings or {}))
            stack.callback(cluster.cancel_all)
            stack.callback(study.close)
            return study

        yield make
