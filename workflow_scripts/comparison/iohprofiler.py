"""Write the searches in the format of IOHprofiler, as one archive."""

import zipfile
from typing import Any

from terranas.comparison.iohprofiler import iohprofiler_files
from terranas.comparison.schema import ANYTIME
from terranas.core.files import atomic_path
from terranas.core.script import run_script
from terranas.core.tables import read_attributes, read_table

_EPOCH = (1980, 1, 1, 0, 0, 0)  # equal searches make equal archives


def main(snakemake: Any) -> None:
    anytime = read_table(snakemake.input.anytime, ANYTIME)
    facts = {"objectives": ", ".join(snakemake.params.objectives)}
    facts["reference"] = read_attributes(snakemake.input.anytime)["reference"]
    with (
        atomic_path(snakemake.output.archive) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, text in iohprofiler_files(anytime, dimension=snakemake.params.dimension, facts=facts):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text, zipfile.ZIP_DEFLATED)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
