"""search: all arms on a tabular benchmark, all seeds of an arm in one job.

in: <results>/benchmark/<benchmark>.parquet, <results>/space/*, <results>/surrogates/<benchmark>/*.
out: <results>/search/<benchmark>/<arm>/*.
"""


rule search_run:
    input:
        unpack(searched_graph),
        unpack(arm_inputs),
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
    output:
        evaluations=f"{RESULTS}/search/{{benchmark}}/{{arm}}/evaluations.parquet",
        fronts=f"{RESULTS}/search/{{benchmark}}/{{arm}}/fronts.parquet",
        runs=f"{RESULTS}/search/{{benchmark}}/{{arm}}/runs.parquet",
        queue=f"{RESULTS}/search/{{benchmark}}/{{arm}}/queue.parquet",
    log:
        f"{RESULTS}/logs/search/{{benchmark}}_{{arm}}.log",
    benchmark:
        f"{RESULTS}/runtimes/search/{{benchmark}}_{{arm}}.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(3000),
        runtime=escalating(60),
    params:
        searched=searched_objectives(),
        search=arm_settings,
        budgets=arm_budgets,
        code=code("search/run.py"),
    message:
        "Searching, {wildcards.arm}, {params.search[seeds]} seeds"
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
