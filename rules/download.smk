"""data: public files, fetched only when asked for by `snakemake download` or by the name of a receipt.

in: the table terranas/data/sources.csv. out: <download.folder>/<file>.json, and beside it the file itself.
"""

import re

from terranas.data.receipts import download_state
from terranas.data.sources import read_sources

SOURCES = read_sources()
SOURCE_OF_FILE = {source.file: source.model_dump(mode="json") for source in SOURCES.values()}
DOWNLOADS = STUDY.download.folder.rstrip("/")


# this machine is where the network is; nodes of a cluster often see none
localrules:
    data_download,


# Only the receipt is an output. The file itself is not: Snakemake deletes the outputs of a job before it starts and
# when it fails, and with them what was received so far; and a rule that makes the file would run for every study that
# names it as its input. No fingerprint of the code either: a receipt stays true whatever code wrote it.
rule data_download:
    output:
        receipt=f"{DOWNLOADS}/{{file}}.json",
    log:
        f"{RESULTS}/logs/data/download/{{file}}.log",
    benchmark:
        f"{RESULTS}/runtimes/data/download/{{file}}.tsv"
    wildcard_constraints:
        file="|".join(map(re.escape, SOURCE_OF_FILE)),
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(600),
        runtime=escalating(2880),
    params:
        source=lambda wildcards: SOURCE_OF_FILE[wildcards.file],
        # changes when the file was removed or altered since
        state=lambda wildcards: download_state(f"{DOWNLOADS}/{wildcards.file}.json"),
    message:
        "Fetching {wildcards.file}"
    script:
        "../workflow_scripts/data/download.py"


rule download:
    input:
        expand(rules.data_download.output.receipt, file=[SOURCES[name].file for name in STUDY.download.files]),
    message:
        "The public files are there"
