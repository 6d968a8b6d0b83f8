"""What is evaluated, counted and recorded, whatever the search."""

import numpy as np
import pytest

from terranas.search.driver import Search, SearchDriver, SearchRun, drive

NAN = float("nan")


def scripted(batches: list[list[int]], answers: list[np.ndarray] | None = None) -> Search:
    """Yield batches one after the other and note what is answered."""
    for batch in batches:
        values = yield np.array(batch, dtype=np.int64)
        if answers is not None:
            answers.append(values)


def run(
    values: np.ndarray, batches: list[list[int]], budget: int, answers: list[np.ndarray] | None = None
) -> SearchRun:
    return drive(scripted(batches, answers), lambda rows: values[rows], budget, values.shape[1])


VALUES = np.array([[3, 3, 3], [2, 4, 3], [3, 3, 3], [1, 1, 1], [9, 9, 9]], dtype=np.float64)


def test_each_row_is_asked_for_once_and_answered_each_time() -> None:
    asked: list[int] = []
    answers: list[np.ndarray] = []

    def evaluate(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return VALUES[rows]

    batches = [[0, 1], [1], [2, 0, 4], []]
    found = drive(scripted(batches, answers), evaluate, 10, 3)
    assert asked == found.evaluated.tolist() == [0, 1, 2, 4]
    for batch, answer in zip(batches, answers, strict=True):
        np.testing.assert_array_equal(answer, VALUES[batch].reshape(-1, 3))
    assert found.entered.tolist() == [True, True, True, False]
    assert found.archive.tolist() == [0, 1, 2]
    assert found.first_batch == 2
    assert not found.repeated.any()


@pytest.mark.parametrize("budget", [1, 2, 3, 4])
def test_the_budget_is_hard_and_only_cuts(budget: int) -> None:
    batches = [[0], [1, 2], [3, 4]]
    whole, cut = run(VALUES, batches, 10), run(VALUES, batches, budget)
    assert cut.evaluated.tolist() == whole.evaluated[:budget].tolist()
    assert cut.entered.tolist() == whole.entered[:budget].tolist()


def test_rows_without_value_do_not_count_and_are_answered_so() -> None:
    values = VALUES.copy()
    values[1, 2] = NAN
    values[3] = np.inf
    answers: list[np.ndarray] = []
    found = run(values, [[0, 1, 2], [1, 3], [4]], 3, answers)
    assert found.evaluated.tolist() == [0, 2, 4]
    assert found.passed_over.tolist() == [1, 2]
    assert np.isnan(answers[0][1]).all()
    assert np.isnan(answers[1]).all()
    assert found.archive.tolist() == [0, 2]


def test_the_first_batch_may_be_cut() -> None:
    assert run(VALUES, [[0, 1, 2]], 2).first_batch == 2
    assert run(VALUES, [[0, 1, 2]], 9).first_batch == 3


def test_a_search_that_never_begins() -> None:
    found = run(VALUES, [], 5)
    assert (len(found.evaluated), len(found.archive), found.first_batch) == (0, 0, 0)


def test_a_search_may_be_run_step_by_step() -> None:
    batches = [[0, 1], [4, 3, 2]]
    whole = run(VALUES, batches, 4)
    driver = SearchDriver(scripted(batches), 4, 3)
    while len(rows := driver.ask()):
        assert driver.ask().tolist() == rows.tolist()  # asking changes nothing
        driver.tell(VALUES[rows])
    np.testing.assert_equal(driver.run().__dict__, whole.__dict__)


def test_a_search_that_finds_nothing_new_any_more_is_ended() -> None:
    def stuck() -> Search:
        while True:
            yield np.array([0, 1])

    assert drive(stuck(), lambda rows: VALUES[rows], 5, 3).evaluated.tolist() == [0, 1]


def test_wrong_shapes_and_budgets_are_refused() -> None:
    with pytest.raises(ValueError, match="budget of at least one"):
        SearchDriver(scripted([[0]]), 0, 2)
    driver = SearchDriver(scripted([[0, 1]]), 5, 3)
    driver.ask()
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected \(2, 3\)"):
        driver.tell(np.ones((2, 2)))
