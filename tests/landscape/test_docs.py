"""docs/landscape.md: its settings are valid, its files are those that the rules make, its words are the schemas'."""

import re
from pathlib import Path

import yaml

from terranas.config import load_config
from terranas.landscape import schema
from terranas.landscape.graph_summary import MEANINGS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "landscape.md").read_text()
RULES = "".join(path.read_text() for path in sorted(ROOT.glob("rules/**/landscape*.smk")))


def test_the_settings_are_valid() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    study = load_config(yaml.safe_load(block))
    assert study.landscape.benchmarks == ["study", "eo_hwnas", "nasbench101"]


def test_every_file_is_one_that_a_rule_makes() -> None:
    names = set(re.findall(r"(\w+)\.(?:parquet|csv)", PAGE))
    assert len(names) > 15
    assert [name for name in sorted(names) if f"{name}." not in RULES and f'"{name}"' not in RULES] == []


def test_columns_and_measures_are_those_of_the_tables() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert rows == ["autocorrelation", "ruggedness", "correlation_length"]
    assert set(rows) <= set(schema.RUGGEDNESS.names)
    assert {"birthday_optima"} <= set(MEANINGS)
    assert "`birthday_optima`" in PAGE
