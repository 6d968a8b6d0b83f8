"""sampling: random walks through the space, and the list of architectures to train.

in: <results>/space/*. out: <results>/sampling/*.
"""


localrules:
    sampling_walks,
    sampling_architectures,


rule sampling_walks:
    input:
        cells=rules.space_cells.output.cells,
        indptr=expand(rules.space_neighbours.output.indptr, neighbourhood=STUDY.sampling.neighbourhood),
        indices=expand(rules.space_neighbours.output.indices, neighbourhood=STUDY.sampling.neighbourhood),
        summary=expand(rules.space_neighbours.output.summary, neighbourhood=STUDY.sampling.neighbourhood),
    output:
        walks=f"{RESULTS}/sampling/walks.parquet",
    log:
        f"{RESULTS}/logs/sampling/walks.log",
    benchmark:
        f"{RESULTS}/runtimes/sampling/walks.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(10),
    params:
        sampling=settings("sampling", "walks", "steps", "unique"),
        seed=STUDY.seed,
        code=SAMPLING_CODE["sampling/walks.py"],
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
    benchmark:
        f"{RESULTS}/runtimes/sampling/architectures.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(10),
    params:
        architectures=STUDY.sampling.architectures,
        key=ARCHITECTURE_KEY,
    message:
        "Listing the architectures to train"
    script:
        "../workflow_scripts/sampling/architectures.py"


rule sampling:
    input:
        rules.sampling_walks.output,
        rules.sampling_architectures.output,
    message:
        "Walks and architectures are ready"
