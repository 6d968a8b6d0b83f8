"""Import the EO benchmark of E. Demir's thesis, and its walks."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from terranas.benchmark.eo_hwnas import FILES, import_eo_hwnas
from terranas.benchmark.eo_hwnas_files import PublishedFile
from terranas.benchmark.imported import store_import
from terranas.benchmark.space_index import CELL_COLUMNS, SpaceIndex
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.sampling.schema import WALKS
from terranas.space.schema import CELLS


def main(snakemake: Any) -> None:
    index = SpaceIndex(read_table(snakemake.input.cells, CELLS, columns=CELL_COLUMNS))
    with ExitStack() as stack:
        paths = {name: Path(getattr(snakemake.input, name)) for name in FILES}
        files = {name: PublishedFile(stack.enter_context(path.open("rb")), path.name) for name, path in paths.items()}
        imported, walks = import_eo_hwnas(files, index)
    tolerate = snakemake.params.disagreement == "report"
    store_import(imported, snakemake.output.table, snakemake.output.report, tolerate=tolerate)
    write_table(walks, snakemake.output.walks, WALKS)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
