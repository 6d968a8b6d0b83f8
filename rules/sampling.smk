"""sampling: random walks through the space, and the list of architectures to train.

in: <results>/space/*. out: <results>/sampling/*.
"""


localrules:
    sampling_walks,
    sampling_architectures,


rule sampling_walks:
    input:
        cells=rules.space_cells.output.cells,
        indptr=expand(
            rules.space_neighbours.output.indptr, neighbourhood=STUDY.sampling.neighbourhood
        ),
        indices=expand(
            rules.space_neighbours.output.indices, neighbourhood=STUDY.sampling.neighbourhood
        ),
        summary=expand(
            rules.space_neighbours.output.summary, neighbourhood=STUDY.sampling.neighbourhood
        ),
    output:
        walks=f"{RESULTS}/sampling/walks.parquet",
    log:
        f"{RESULTS}/logs/sampling/walks.log",
    conda:
        "../envs/terranas.yaml"
    benchmark:
        f"{RESULTS}/runtimes/sampling/walks.tsv"
    params:
        sampling=settings("sampling", "walks", "steps", "unique"),
        seed=STUDY.seed,
        code=SAMPLING_CODE["sampling/walks.py"],
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(10),
    message:
        "Walking {params.sampling[walks]} times {params.sampling[steps]} steps"
    script:
        "../workflow_scripts/sampling/walks.py"


rule sampling_architectures:
    input:
        cells=rules.space_cells.output.cells,
        walks=rules.sampling_walks.output.walks,
    output:
        architectures=ARCHITECTURE_LIST,
    log:
        f"{RESULTS}/logs/sampling/architectures.log",
    conda:
        "../envs/terranas.yaml"
    benchmark:
        f"{RESULTS}/runtimes/sampling/architectures.tsv"
    params:
        architectures=STUDY.sampling.architectures,
        key=ARCHITECTURE_KEY,
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(10),
    message:
        "Listing the architectures to train"
    script:
        "../workflow_scripts/sampling/architectures.py"


rule sampling:
    message:
        "Walks and architectures are ready"
    input:
        rules.sampling_walks.output,
        rules.sampling_architectures.output,
