"""Values of a search problem: measured, predicted or none."""

from dataclasses import dataclass

import numpy as np
import pytest

from terranas.search.problem import Problem
from terranas.space.neighbours import NeighbourGraph

NAN = float("nan")


@dataclass
class Names:
    """Of a space only what a problem asks for."""

    names: list[str]


def problem(predicted: np.ndarray | None = None, **changes: object) -> Problem:
    values = np.array([[0.9, 100], [NAN, 200], [0.8, NAN], [NAN, np.inf]])
    given: dict[str, object] = {
        "dataset": "synthetic",
        "space": Names(list("abcd")),
        "objectives": ["accuracy", "time"],
        "directions": ["maximise", "minimise"],
        "values": values,
        "graph": NeighbourGraph(np.zeros(5, dtype=np.int64), np.zeros(0, dtype=np.int32)),
        "predicted": predicted,
    }
    return Problem(**{**given, **changes})  # type: ignore[arg-type]


def test_without_predictions_an_architecture_has_all_values_or_none() -> None:
    plain = problem()
    assert plain.available.tolist() == [0]
    assert not plain.is_predicted.any()
    np.testing.assert_array_equal(plain.minimised, [[-0.9, 100], [NAN, NAN], [NAN, NAN], [NAN, NAN]])
    assert plain.names.tolist() == list("abcd")


def test_predictions_stand_in_for_what_was_not_measured_alone() -> None:
    mixed = problem(np.array([[0.1, 1], [0.2, 2], [0.3, 3], [NAN, 4]]))
    assert mixed.available.tolist() == [0, 1, 2]
    assert mixed.is_predicted.tolist() == [False, True, True, False]
    np.testing.assert_array_equal(mixed.used, [[0.9, 100], [0.2, 200], [0.8, 3], [NAN, NAN]])
    assert np.isnan(mixed.values[1, 0])  # what was given is left as it is


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objectives": ["accuracy"], "directions": ["maximise"]}, "two or more objectives"),
        ({"directions": ["maximise"]}, "2 objectives accuracy, time and 1 directions"),
        ({"space": Names(list("abc"))}, "graph connects 4 architectures, the space has 3"),
        ({"values": np.ones((4, 3))}, r"values has the shape \(4, 3\), expected \(4, 2\)"),
        ({"predicted": np.ones((3, 2))}, r"predicted has the shape \(3, 2\), expected \(4, 2\)"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        problem(**changes)
