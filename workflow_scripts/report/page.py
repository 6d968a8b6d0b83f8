"""Write the report: the folder of pages that shows what came out of the study."""

from pathlib import Path
from typing import Any

from terranas.core.figures import write_csv
from terranas.core.files import atomic_folder
from terranas.core.script import run_script
from terranas.report.interactive import Interactive
from terranas.report.origins import Origins
from terranas.report.reading import FLAGGED, prepared_checksums, read_made, read_results
from terranas.report.runtimes import read_runtimes
from terranas.report.shell import copy_assets
from terranas.report.site import Site
from terranas.report.stages import frame, ordered, stage_pages

RECORDS = Path(".snakemake") / "metadata"


def main(snakemake: Any) -> None:
    params, given = snakemake.params, dict(snakemake.input.items())
    results = read_results(given, params.dataset, params.study)
    made = read_made(results, given, params.groups, params.tables)
    pages = stage_pages(results, made, read_runtimes(Path(params.runtimes), RECORDS))
    origins = Origins(RECORDS, prepared_checksums(results.manifest, str(given["manifest"])), params.names)
    interactive = Interactive(results, given, params.explored)
    with atomic_folder(snakemake.output.site) as folder:
        copy_assets(folder)
        write_csv(made.flagged, folder / FLAGGED)
        shell = frame(results, ordered([page.link for page in pages] + interactive.links))
        site = Site(folder, shell, results.config["results_dir"], origins)
        for page in pages:
            site.write(page)
        interactive.write(folder, shell)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
