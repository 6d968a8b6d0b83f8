"""Where published tables come from and what is reported of them. No rule stands here."""

import sys

from terranas.benchmark.precheck import FILES_OF_TABLES
from terranas.config.inputs import PUBLISHED_IMAGE, PUBLISHED_NETWORK, WHOLE_SPACE


def validation_report(name):
    """Return the validation report of a table; it goes into Snakemake's report."""
    return report(
        f"{RESULTS}/benchmark/{name}.validation.json",
        caption="captions/validation.rst",
        category="Tables",
        labels={"content": name, "kind": "validation"},
    )


def published(source, part=None):
    """Return an input function for a published file, or for a part of a published folder."""

    def path(wildcards):
        place = getattr(STUDY.benchmark, source)
        if place is None:
            sys.exit(f"terranas: benchmark.{source} names no file or folder; set it to import that table.")
        return place if part is None else f"{place}/{FILES_OF_TABLES[source][part]}"

    return path


def imported_tables(wildcards):
    """Return the tables to import, of which there must be one."""
    if not IMPORTED:
        sys.exit(
            "terranas: there is no published table to import; set the path of one, for example "
            "--config 'benchmark={nasbench101: PATH/TO/nasbench_only108.tfrecord}' (docs/tables.md lists all)."
        )
    return IMPORTED
