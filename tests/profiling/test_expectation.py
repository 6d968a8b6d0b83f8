"""What a session is expected to take: bounds by hand, what grows with what, and nothing heavy to import."""

import subprocess
import sys
from typing import Any

import pytest

from terranas.config.measuring import ProfilingConfig
from terranas.profiling.expectation import (
    LEAST_MEGABYTES,
    LEAST_MINUTES,
    MACS_PER_SECOND,
    MEASUREMENT_SECONDS,
    RUN_SECONDS,
    START_SECONDS,
    expected_megabytes,
    expected_minutes,
)
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, macs

MEMBER = {"adjacency": "0110000100010000", "operations": "input,conv3x3-bn-relu,maxpool3x3,output"}
LARGE = {"bands": 10, "classes": 17, "image_size": 32, "stem_channels": 128, "stacks": 3, "cells_per_stack": 3}
SMALL = LARGE | {"stem_channels": 4, "cells_per_stack": 1}


def content(**changes: Any) -> dict[str, Any]:
    return ProfilingConfig(**changes).model_dump(mode="json")


def test_a_small_session_gets_the_least() -> None:
    assert expected_minutes([MEMBER], SMALL, content()) == LEAST_MINUTES
    assert expected_megabytes([MEMBER], SMALL, content()) == LEAST_MEGABYTES
    assert expected_minutes([], SMALL, content()) == LEAST_MINUTES
    assert expected_megabytes([], SMALL, content()) == LEAST_MEGABYTES


def test_minutes_by_hand() -> None:
    cost = macs(Cell.from_strings(**MEMBER), NetworkShape(**LARGE))
    run = RUN_SECONDS + 64 * cost / MACS_PER_SECOND["cpu"]
    # ten members, the empty network and two references; five runs warm up, thirty count, one takes the memory
    one = MEASUREMENT_SECONDS + (5 + 30 + 1) * run
    seconds = START_SECONDS + 1.5 * 13 * one
    assert expected_minutes([MEMBER] * 10, LARGE, content()) == -(-seconds // 60)


@pytest.mark.parametrize(
    "more",
    [
        {"batch_sizes": [128]},
        {"batch_sizes": [64, 1]},
        {"precisions": ["bf16"]},
        {"variants": ["plain", "folded"]},
        {"warmup_runs": 50},
        {"warmup_seconds": 600.0},
        {"max_runs": 60},
        {"repeats": 3},
        {"energy_seconds": 60.0},
        {"reference_every": 1},
    ],
)
def test_what_is_asked_for_takes_time(more: dict[str, Any]) -> None:
    usual = expected_minutes([MEMBER] * 10, LARGE, content())
    assert expected_minutes([MEMBER] * 10, LARGE, content(**more)) > usual


def test_threads_and_a_gpu_save_time() -> None:
    usual = expected_minutes([MEMBER] * 10, LARGE, content())
    threaded = expected_minutes([MEMBER] * 10, LARGE, content(threads=4))
    assert expected_minutes([MEMBER] * 10, LARGE, content(device="cuda")) < threaded < usual


def test_feature_maps_of_the_largest_batch_take_memory_of_the_processor_only() -> None:
    def megabytes(**changes: Any) -> int:
        return expected_megabytes([MEMBER], LARGE, content(**changes))

    assert megabytes(batch_sizes=[1, 256]) == megabytes(batch_sizes=[256]) > megabytes(batch_sizes=[64])
    assert megabytes(device="cuda", batch_sizes=[256]) == megabytes(device="cuda", batch_sizes=[1]) > LEAST_MEGABYTES


def test_parsing_the_workflow_imports_nothing_heavy() -> None:
    program = (
        "import sys, terranas.profiling.expectation; print(sorted({'torch', 'pandas', 'numba'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert found.stdout.strip() == "[]"
