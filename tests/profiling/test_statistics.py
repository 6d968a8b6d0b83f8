"""Statistics of timed runs: exact figures of known samples, and the median's interval against its definition."""

import math
from statistics import quantiles, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from terranas.profiling.schema import TIMES
from terranas.profiling.statistics import median_interval, relative_spread, relative_width, summarise


def test_figures_of_a_known_distribution() -> None:
    # 1, 2, ..., 101 ms in any order: every quantile is a sample
    samples = np.random.default_rng(0).permutation(np.arange(1.0, 102.0))
    found = summarise(samples, batch_size=64)
    assert list(found) == list(TIMES)
    assert found == {
        "latency_ms": 51,
        "latency_low_ms": 41,
        "latency_high_ms": 61,
        "latency_iqr_ms": 50,
        "latency_p90_ms": 91,
        "latency_p99_ms": 100,
        "latency_mean_ms": 51,
        "latency_std_ms": pytest.approx(math.sqrt(101 * 102 / 12)),
        "images_per_second": pytest.approx(64 * 1000 / 51),
    }


def test_the_mean_is_the_latency_where_it_is_asked_for() -> None:
    samples = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 7.0])
    median, mean = summarise(samples, 10), summarise(samples, 10, "mean")
    assert (median["latency_ms"], mean["latency_ms"]) == (1, 2)
    assert (median["images_per_second"], mean["images_per_second"]) == (10_000, 5_000)
    own = ("latency_ms", "images_per_second")
    assert {name: median[name] for name in TIMES if name not in own} == {
        name: mean[name] for name in TIMES if name not in own
    }


def test_no_runs_have_no_figures() -> None:
    found = summarise(np.empty(0), 64)
    assert set(found) == set(TIMES)
    assert all(math.isnan(value) for value in found.values())
    assert relative_width(np.empty(0)) == math.inf


def test_a_clock_that_does_not_move_gives_no_throughput() -> None:
    samples = np.zeros(10)
    assert math.isnan(summarise(samples, 64)["images_per_second"])
    assert relative_width(samples) == math.inf
    assert relative_spread(samples) == 0


@given(st.lists(st.floats(0.001, 1e6), min_size=2, max_size=60))
def test_figures_against_the_standard_library(values: list[float]) -> None:
    found = summarise(np.array(values), 1)
    cuts = quantiles(values, n=100, method="inclusive")
    assert found["latency_ms"] == pytest.approx(cuts[49])
    assert found["latency_iqr_ms"] == pytest.approx(cuts[74] - cuts[24], abs=1e-6)
    assert (found["latency_p90_ms"], found["latency_p99_ms"]) == (pytest.approx(cuts[89]), pytest.approx(cuts[98]))
    assert found["latency_std_ms"] == pytest.approx(stdev(values), abs=1e-6)
    assert relative_spread(np.array(values)) == pytest.approx((cuts[74] - cuts[24]) / cuts[49])


@pytest.mark.parametrize("count", [*range(1, 40), 100, 101, 378, 500, 3000])
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_the_interval_is_the_narrowest_of_its_kind(count: int, level: float) -> None:
    low, high = median_interval(np.arange(1.0, count + 1), level)

    def coverage(rank: int) -> float:
        """Return the probability that the median lies from the rank-th smallest to the rank-th largest sample."""
        return 1 - 2 * float(stats.binom.cdf(rank - 1, count, 0.5))

    if math.isnan(low):
        assert math.isnan(high)
        assert count == 1 or coverage(1) < level
        return
    assert high == count + 1 - low
    assert coverage(int(low)) >= level
    assert low + 1 > count // 2 or coverage(int(low) + 1) < level


def test_the_interval_agrees_with_scipys() -> None:
    samples = np.random.default_rng(4).lognormal(size=137)
    expected = stats.quantile_test(samples, p=0.5).confidence_interval(0.95)
    low, high = median_interval(samples)
    # scipy's ends are each one-sided at 97.5 %, which are the same order statistics
    assert (low, high) == (expected.low, expected.high)


@pytest.mark.parametrize("count", [6, 9, 30, 100])
def test_the_interval_holds_the_median_as_often_as_it_says(count: int) -> None:
    drawn = np.random.default_rng(count).exponential(size=(4000, count))
    held = np.mean([low <= math.log(2) <= high for low, high in map(median_interval, drawn)])
    assert held >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 4000)


def test_the_relative_width() -> None:
    assert relative_width(np.arange(1.0, 102.0)) == 20 / 51
    assert relative_width(np.full(30, 3.0)) == 0
    assert relative_width(np.full(5, 3.0)) == math.inf  # five samples say nothing at 95 %
    assert relative_width(np.full(6, 3.0)) == 0
