"""space: the search space as a table, and its neighbour graphs.

in: nothing but settings. out: <results>/space/cells.parquet, <results>/space/<neighbourhood>/*.
"""


rule space_cells:
    output:
        cells=f"{RESULTS}/space/cells.parquet",
    log:
        f"{RESULTS}/logs/space/cells.log",
    benchmark:
        f"{RESULTS}/runtimes/space/cells.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(20),
    params:
        space=settings("space"),
        network=settings("network"),
        image=image_shape(),
        code=SAMPLING_CODE["space/cells.py"],
    message:
        "Enumerating all cells of at most {params.space[max_vertices]} vertices"
    script:
        "../workflow_scripts/space/cells.py"


# Published tables refer to the whole space, whatever the study's own is: no setting makes them be imported again.
rule space_whole:
    output:
        cells=f"{RESULTS}/space/whole.parquet",
    log:
        f"{RESULTS}/logs/space/whole.log",
    benchmark:
        f"{RESULTS}/runtimes/space/whole.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(20),
    params:
        space=WHOLE_SPACE,
        network=PUBLISHED_NETWORK,
        image=PUBLISHED_IMAGE,
        code=SAMPLING_CODE["space/cells.py"],
    message:
        "Enumerating the whole space, which published tables refer to"
    script:
        "../workflow_scripts/space/cells.py"


rule space_neighbours:
    input:
        cells=rules.space_cells.output.cells,
    output:
        indptr=f"{RESULTS}/space/{{neighbourhood}}/indptr.npy",
        indices=f"{RESULTS}/space/{{neighbourhood}}/indices.npy",
        summary=f"{RESULTS}/space/{{neighbourhood}}/summary.json",
    log:
        f"{RESULTS}/logs/space/neighbours_{{neighbourhood}}.log",
    benchmark:
        f"{RESULTS}/runtimes/space/neighbours_{{neighbourhood}}.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(20),
    params:
        code=SAMPLING_CODE["space/neighbours.py"],
    message:
        "Building the neighbour graph '{wildcards.neighbourhood}'"
    script:
        "../workflow_scripts/space/neighbours.py"


# those that walks and searches follow, and that landscapes are analysed on
NEIGHBOURHOODS = sorted({STUDY.sampling.neighbourhood, STUDY.search.neighbourhood, *STUDY.landscape.neighbourhoods})


rule space:
    input:
        rules.space_cells.output,
        expand(rules.space_neighbours.output, neighbourhood=NEIGHBOURHOODS),
    message:
        "The search space is ready"
