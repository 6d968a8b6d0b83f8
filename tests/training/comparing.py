"""Comparing what two trainings gave."""

import torch

from terranas.training.schema import EPOCHS


def computed(result):
    """Return the rows of a result without what was measured."""
    return [
        {name: row[name] for name in EPOCHS.names if name in row and name not in EPOCHS.measured} for row in result.rows
    ]


def assert_equal(one, other):
    """Check that two trainings gave the same numbers and weights, bit for bit."""
    assert (one.outcome, other.outcome) == ("ok", "ok")
    assert computed(one) == computed(other)
    for name in ("class_rows", "confusions", "validation", "test", "best", "micro_batch", "precision"):
        assert getattr(one, name) == getattr(other, name), name
    for name in ("weights", "best_weights"):
        first, second = getattr(one, name), getattr(other, name)
        assert first.keys() == second.keys()
        assert all(torch.equal(first[key], second[key]) for key in first), name
