"""search: Pareto local search on a tabular benchmark, all seeds of an arm in one job.

in: <results>/benchmark/<benchmark>.parquet, <results>/space/*, predicted fronts. out: <results>/search/<benchmark>/<arm>/*.
"""


rule search_run:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        cells=rules.space_cells.output.cells,
        indptr=expand(rules.space_neighbours.output.indptr, neighbourhood=STUDY.search.neighbourhood),
        indices=expand(rules.space_neighbours.output.indices, neighbourhood=STUDY.search.neighbourhood),
        summary=expand(rules.space_neighbours.output.summary, neighbourhood=STUDY.search.neighbourhood),
        predicted=predicted_fronts,
    output:
        evaluations=f"{RESULTS}/search/{{benchmark}}/{{arm}}/evaluations.parquet",
        fronts=f"{RESULTS}/search/{{benchmark}}/{{arm}}/fronts.parquet",
        runs=f"{RESULTS}/search/{{benchmark}}/{{arm}}/runs.parquet",
    log:
        f"{RESULTS}/logs/search/{{benchmark}}_{{arm}}.log",
    benchmark:
        f"{RESULTS}/runtimes/search/{{benchmark}}_{{arm}}.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(30),
    params:
        objectives=STUDY.search.objectives,
        search=settings("search", "starts", "seeds") | {"seed": STUDY.seed},
        budgets=arm_budgets,
        code=code("search/run.py"),
    message:
        "Searching from {wildcards.arm} starts, {params.search[seeds]} seeds"
    script:
        "../workflow_scripts/search/run.py"


rule search:
    input:
        expand(
            rules.search_run.output,
            benchmark=STUDY.search.benchmark,
            arm=ARMS,
        ),
    message:
        "All searches are done"
