"""Distributions: integrals, scipy's estimate, mirrored bounds, degenerate metrics, accuracies at all fidelities."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from terranas.core.errors import TableError
from terranas.landscape.accuracy import summarise_accuracy
from terranas.landscape.distributions import density, describe_distributions, distribution_curves

from .tables import DATASET, benchmark_of

METRIC = "validation_micro_accuracy"


def test_curves_integrate_to_one_and_end_at_one() -> None:
    rng = np.random.default_rng(1)
    low, high = rng.beta(2, 5, 300), rng.beta(8, 2, 300)
    benchmark = benchmark_of(**{METRIC: {4: low, 108: high}, "macs": {108: 1e6 * rng.lognormal(size=300)}})
    table = distribution_curves(benchmark, [METRIC, "macs", "latency_ms"])
    assert table.groupby(["metric", "epochs"], sort=False)["n"].first().to_dict() == {
        (METRIC, 4): 300,
        (METRIC, 108): 300,
        ("macs", 108): 300,
    }
    assert set(table.loc[table["metric"] == "macs", "unit"]) == {"MAC"}
    accuracies = table[table["metric"] == METRIC]
    first, last = (accuracies[accuracies["epochs"] == epochs] for epochs in (4, 108))
    np.testing.assert_array_equal(first["value"], last["value"])  # one grid for all fidelities
    assert accuracies["value"].between(0, 1).all()
    for part, values in ((first, low), (last, high)):
        assert np.trapezoid(part["density"], part["value"]) == pytest.approx(1, abs=0.01)
        expected = stats.ecdf(values).cdf.evaluate(part["value"].to_numpy())
        np.testing.assert_allclose(part["cumulative"], expected)
    assert first["cumulative"].iloc[-1] == 1


def test_density_is_that_of_scipy_where_nothing_is_bounded() -> None:
    values = np.random.default_rng(2).normal(size=80)
    places = np.linspace(-3, 3, 31)
    np.testing.assert_allclose(density(values, places), stats.gaussian_kde(values)(places))


def test_density_of_many_values_is_that_of_all_of_them() -> None:
    values = np.random.default_rng(3).gamma(3, size=20_000)
    places = np.linspace(0, 12, 61)
    mirrored = stats.gaussian_kde(values)(places) + stats.gaussian_kde(values)(-places)
    np.testing.assert_allclose(density(values, places, (0, np.inf)), mirrored, atol=2e-3)


@given(arrays(np.float64, st.integers(2, 30), elements=st.floats(0, 1)))
@settings(max_examples=60, deadline=None)
def test_mirrored_density_keeps_its_mass_between_the_bounds(values: np.ndarray) -> None:
    places = np.linspace(0, 1, 4001)
    height = density(values, places, (0, 1))
    if np.ptp(values) <= max(1e-9 * values.max(), 1e-150):
        assert np.isnan(height).all()
    elif values.std() > 0.01:  # wide enough for the grid, narrow enough not to reach past the mirror's other side
        assert np.trapezoid(height, places) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_equal_values_have_a_step_and_no_density(value: float) -> None:
    table = distribution_curves(benchmark_of(**{METRIC: {4: np.full(5, value)}}), [METRIC])
    assert table["density"].isna().all()
    assert set(table["cumulative"]) <= {0.0, 1.0}
    assert table["cumulative"].iloc[-1] == 1
    assert table["value"].between(0, 1).all()


def test_a_metric_without_values_has_no_curve_and_an_empty_summary() -> None:
    benchmark = benchmark_of(**{METRIC: {4: np.array([0.1, 0.2, math.nan])}})
    assert distribution_curves(benchmark, ["latency_ms"]).empty
    table = describe_distributions(benchmark, [METRIC, "latency_ms"]).set_index("metric")
    assert table.loc["latency_ms", ["n", "left_out", "unit"]].tolist() == [0, 3, "ms"]
    assert table.loc["latency_ms", ["mean", "std", "min", "median", "max"]].isna().all()
    known = table.loc[METRIC]
    assert known[["n", "left_out", "min", "median", "max"]].tolist() == [2, 1, 0.1, pytest.approx(0.15), 0.2]
    assert known["lower_quartile"] == pytest.approx(0.125)
    with pytest.raises(TableError, match="Nothing was trained for 7 epochs"):
        describe_distributions(benchmark, [METRIC], [7])


def test_accuracies_at_every_fidelity() -> None:
    low, high = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.7, math.nan])
    benchmark = benchmark_of(**{METRIC: {4: low, 108: high}})
    table = summarise_accuracy(benchmark, [4, 108])
    rows = table[(table["split"] == "validation") & (table["metric"] == "micro_accuracy")]
    assert rows[["dataset", "epochs", "n", "left_out"]].values.tolist() == [[DATASET, 4, 3, 0], [DATASET, 108, 2, 1]]
    assert rows["mean"].tolist() == [pytest.approx(0.2), pytest.approx(0.6)]
    assert summarise_accuracy(benchmark)["epochs"].unique().tolist() == [108]
