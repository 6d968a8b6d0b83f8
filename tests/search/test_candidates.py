"""Architectures that a method may still ask for: each given out once, only available ones."""

import numpy as np
import pytest

from terranas.core.randomness import generator
from terranas.search.candidates import Candidates
from terranas.space.nasbench201 import SPACE_SIZE, NasBench201Space

SPACE = NasBench201Space()
ALL = np.arange(SPACE_SIZE)


def test_rows_are_drawn_once_and_uniformly() -> None:
    candidates = Candidates(SPACE, ALL, generator(0, "test"))
    drawn = candidates.draw(10_000)
    assert len(np.unique(drawn)) == 10_000
    assert len(candidates) == SPACE_SIZE - 10_000
    # each third of the rows is drawn as often, give or take five standard deviations
    thirds = np.bincount(drawn * 3 // SPACE_SIZE)
    assert np.abs(thirds - 10_000 / 3).max() < 5 * np.sqrt(10_000 * 2 / 9)
    assert set(drawn) | set(candidates.draw(SPACE_SIZE)) == set(ALL)
    assert len(candidates) == len(candidates.draw(5)) == 0


def test_draws_pass_over_what_was_taken() -> None:
    candidates = Candidates(SPACE, np.arange(100), generator(0, "test"))
    candidates.take(np.arange(0, 100, 2))
    assert not candidates.are_open(np.array([0, 2, 100, 500])).any()
    assert candidates.are_open(np.array([1, 99])).all()
    assert sorted(candidates.draw(60)) == list(range(1, 100, 2))


def test_mutants_are_available_and_new() -> None:
    available = ALL[ALL % 7 == 0]
    candidates = Candidates(SPACE, available, generator(0, "test"))
    mutants = [candidates.mutant_of(7) for _ in range(len(available))]
    assert sorted(mutants) == available.tolist()
    assert len(candidates) == 0
    with pytest.raises(IndexError):
        candidates.mutant_of(7)


def test_mutants_are_near_while_some_are_left() -> None:
    candidates = Candidates(SPACE, ALL, generator(0, "test"))
    candidates.take(np.array([7]))
    mutants = np.array([7, *(candidates.mutant_of(7) for _ in range(30))])
    distances = SPACE.distances(mutants)[0]
    assert (distances[1:4] == 1).all()
    assert distances.max() <= 4
    assert 15 <= (distances == 1).sum() <= 24


def test_a_sample_gives_nothing_out() -> None:
    candidates = Candidates(SPACE, ALL[::5], generator(0, "test"))
    taken = candidates.draw(1_000)
    sample = candidates.sample(1_500)
    assert len(candidates) == 2_125
    assert 700 < len(sample) <= 1_500
    assert (np.diff(sample) > 0).all()
    assert not np.isin(sample, taken).any()
    assert (sample % 5 == 0).all()
    assert sorted({*taken, *candidates.sample(2_125)}) == ALL[::5].tolist()
