"""The pages of the library: one a stage, a section a module, filled in by mkdocstrings."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "terranas"

STAGES = {
    "core": "what all stages share: errors, files, tables, seeds, logs, figures",
    "config": "the settings of a study",
    "space": "cells, their encodings, networks and neighbours",
    "data": "images, from published files to arrays ready to train from",
    "sampling": "walks, and the list of architectures to train",
    "training": "training one architecture, and a campaign of many",
    "profiling": "latency, energy, memory and size on a device",
    "benchmark": "tabular benchmarks, the study's own and published ones",
    "landscape": "measures of a fitness landscape",
    "surrogates": "regressors that predict metrics, and what they are worth",
    "search": "local search, its starts, and baselines",
    "comparison": "indicators, tests and effect sizes of searches",
    "report": "the pages that people read",
    "inspection": "looking at studies and tables from outside the workflow",
}


def library_page(stage: str) -> str:
    """Return the page of a stage in Markdown."""
    modules = sorted(path for path in (PACKAGE / stage).glob("*.py") if path.stem != "__init__")
    blocks = [f"## {path.stem}\n\n::: terranas.{stage}.{path.stem}\n" for path in modules if _has_public(path)]
    return f"# terranas.{stage}\n\n{STAGES[stage][0].upper()}{STAGES[stage][1:]}.\n\n" + "\n".join(blocks)


def _has_public(path: Path) -> bool:
    """Return whether a module defines a function or class for others."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    defined = [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return any(not node.name.startswith("_") for node in defined)
