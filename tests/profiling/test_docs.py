"""docs/profiling.md: its tables, its arithmetic and its code are those of the program."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.stats import norm

from terranas.config import StudyConfig, load_config
from terranas.config.measuring import PROTOCOLS, ProfilingConfig, TolerancesConfig
from terranas.core.tables import write_table
from terranas.profiling.schema import CONDITIONS, FLAGS, MACS_CONVENTION, OUTCOMES, PROFILES
from terranas.profiling.settings import Settings
from terranas.profiling.statistics import median_interval

from .made_up import made_up

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "profiling.md").read_text(encoding="utf-8")


def table_after(text: str) -> list[list[str]]:
    """Return the rows of the first table after a text, heads included."""
    lines = PAGE.split(text, 1)[1].split("\n|", 1)[1].split("\n\n")[0].split("\n")
    rows = [[entry.strip() for entry in line.strip("|").split("|")] for line in lines]
    return [rows[0], *rows[2:]]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def number(text: str) -> float:
    return float(text.replace(",", "").strip("*"))


def test_the_protocols():
    heads, *rows = table_after("overrides it.")
    names = [name.strip("` ") for name in heads[1:]]
    assert sorted(names) == sorted({"quick", *PROTOCOLS})
    documented = {row[0].strip("`"): row[1:] for row in rows}
    for place, name in enumerate(names):
        config = load_config({"profiling": {"protocol": name, "device": "cuda"}}).profiling
        for setting, entries in documented.items():
            value = getattr(config, setting)
            words = ", ".join(map(str, value)) if isinstance(value, list) else str(value).removesuffix(".0")
            assert entries[place].split(" (")[0] == words, f"{setting} of {name}"
    assert {setting for preset in PROTOCOLS.values() for setting in preset} <= set(documented)
    on_cpu = load_config({"profiling": {"protocol": "published"}}).profiling
    assert on_cpu.precisions == ["fp32"]


def test_the_flags():
    _, *rows = table_after("## Flags")
    assert {row[0].strip("`"): row[1] for row in rows} == FLAGS
    tolerances = TolerancesConfig()
    told = {row[0].strip("`"): row[2] for row in rows}
    for flag, setting in (("clock_changed", "clock_change"), ("unsteady", "spread"), ("drift", "drift")):
        assert told[flag].startswith(f"`{setting}`")
        assert f"{100 * getattr(tolerances, setting):g} %" in told[flag]
    assert f"{100 * ProfilingConfig().variation_goal:g} %" in told["varies"]
    assert f"{tolerances.foreign_load:g} cores" in told["foreign_load"]


def test_every_column_is_explained_and_none_is_invented():
    _, *rows = table_after("`<device>_flagged.csv`")
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    given = {"hash", "device", "device_name", "protocol", "threads", "memory_format", "weights"}
    given |= {"batch_size", "precision", "variant"}
    assert told == set(PROFILES.names) - given
    assert {column.name for column in CONDITIONS.columns} <= told | given
    for outcome in set(OUTCOMES) - {"ok"}:
        assert f"`{outcome}`" in PAGE
    said = " ".join(PAGE.split())
    assert "half of what `torch.utils.flop_counter` counts" in said
    assert "half of what torch.utils.flop_counter counts" in MACS_CONVENTION


def test_settings_of_the_page_are_valid():
    found = [StudyConfig.model_validate(yaml.safe_load(block)).profiling for block in blocks("yaml")]
    first, sweep, named = found
    primary = Settings.of_config(first.model_dump(mode="json")).primary
    assert (primary.batch_size, primary.precision, primary.variant) == (1, "fp16", "folded_graph")
    assert sorted(sweep.batch_sizes) == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert sweep.weights == "trained"
    assert named.device_name is not None


def test_the_arithmetic():
    _, *rows = table_after("## How long it takes")
    full = load_config({"profiling": {"protocol": "full", "device": "cuda"}}).profiling
    cells, build, search, start, latency, single = 450, 0.2, 0.5, 15.0, 13.4e-3, 5e-3
    repetition = -(-cells // full.session_size)
    sessions, measured = full.sessions * repetition, full.sessions * cells
    references = sessions * (full.session_size // full.reference_every + 1)

    def lines(runs: int) -> list[tuple[int, float]]:
        return [
            (cells, max(search + full.energy_seconds, full.warmup_seconds)),
            (measured - cells, max(search, full.warmup_seconds, full.warmup_runs * latency)),
            (measured, runs * latency),
            (measured, max(search, full.warmup_seconds, full.warmup_runs * single)),
            (measured, runs * single),
            (measured, build),
            (references, build + full.warmup_seconds + runs * latency),
            (repetition, full.energy_seconds),
            (sessions, full.warmup_seconds),
            (sessions, start),
        ]

    expected = lines(full.timed_runs)
    for row, (times, seconds) in zip(rows, expected, strict=False):
        assert number(row[1]) == times, row[0]
        assert number(row[2]) == pytest.approx(seconds, abs=0.006), row[0]
        assert number(row[3]) == pytest.approx(times * seconds, abs=0.51), row[0]
    assert len(rows) == len(expected) + 1
    total = sum(times * seconds for times, seconds in expected)
    assert number(rows[-1][3]) == pytest.approx(total, abs=1)
    assert total < 2 * 3600
    assert f"{int(total // 3600)} hour {round(total % 3600 / 60)} minutes" in PAGE
    longest = sum(times * seconds for times, seconds in lines(full.max_runs))
    stated = re.search(r"would take ([\d,]+) s,\n?\s*(\d+) hours (\d+) minutes", PAGE)
    assert stated is not None
    assert number(stated[1]) == pytest.approx(longest, abs=1)
    assert (int(stated[2]), int(stated[3])) == (int(longest // 3600), round(longest % 3600 / 60))
    assert f"adds {(longest - total) / 100 / 60:.1f} minutes" in PAGE


def test_how_far_runs_may_scatter():
    """The rule of thumb against the interval itself, on exact quantiles of a normal distribution."""
    for runs in (100, 400):
        samples = norm.ppf((0.5 + np.arange(runs)) / runs, loc=100, scale=4.1)
        low, high = median_interval(samples)
        assert high - low == pytest.approx(4.9 * 4.1 / runs**0.5, rel=0.15)
    assert "4.9 s / √n percent" in PAGE
    assert "where s is at most 4.1" in PAGE


def test_the_pages_python_runs(tmp_path):
    tables = made_up(12, device="cpu", device_name="Processor", energy=False)
    folder = tmp_path / "results" / "demo" / "profiling"
    write_table(tables.profiles, folder / "cpu.parquet", PROFILES)
    write_table(tables.conditions, folder / "cpu_conditions.parquet", CONDITIONS)
    (code,) = blocks("python")
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=300
    ).stdout
    assert printed.startswith("12 of 12 records have times and no flag\n")


def test_the_pages_commands_are_targets():
    rules = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    (commands,) = blocks("bash")
    for target in re.findall(r"^snakemake (\w+)", commands, re.MULTILINE):
        assert re.search(rf"^rule {target}:$", rules, re.MULTILINE), target


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
