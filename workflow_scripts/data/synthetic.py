"""Make the three HDF5 files of generated images in the So2Sat layout."""

from typing import Any

from terranas.core.script import run_script
from terranas.data.layout import SPLITS
from terranas.data.synthetic import write_synthetic


def main(snakemake: Any) -> None:
    outputs = {split: snakemake.output[split] for split in SPLITS}
    write_synthetic(outputs, snakemake.params.sizes, snakemake.params.seed)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
