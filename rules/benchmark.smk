"""benchmark: training results, profiles and published tables in one schema.

in: <results>/space/cells.parquet, <results>/training/*, <results>/profiling/*, or a published file.
out: <results>/benchmark/<benchmark>.parquet.
"""


localrules:
    benchmark_study,


rule benchmark_study:
    input:
        cells=rules.space_cells.output.cells,
        metrics=expand(rules.training_train.output.metrics, hash=ARCHITECTURES),
        statuses=expand(rules.training_train.output.status, hash=ARCHITECTURES),
        profiles=expand(rules.profiling_collect.output.profiles, device=STUDY.profiling.device),
    output:
        table=f"{RESULTS}/benchmark/study.parquet",
    log:
        f"{RESULTS}/logs/benchmark/study.log",
    benchmark:
        f"{RESULTS}/runtimes/benchmark/study.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(20),
    params:
        dataset=STUDY.data.name,
        code=code("benchmark/study.py"),
    message:
        "Aggregating the tabular benchmark"
    script:
        "../workflow_scripts/benchmark/study.py"


rule benchmark_nasbench101:
    input:
        cells=rules.space_cells.output.cells,
        records=published_records,
    output:
        table=f"{RESULTS}/benchmark/nasbench101.parquet",
    log:
        f"{RESULTS}/logs/benchmark/nasbench101.log",
    benchmark:
        f"{RESULTS}/runtimes/benchmark/nasbench101.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(3000),
        runtime=escalating(30),
    params:
        code=code("benchmark/nasbench101.py"),
    message:
        "Importing NAS-Bench-101"
    script:
        "../workflow_scripts/benchmark/nasbench101.py"


rule benchmark:
    input:
        rules.benchmark_study.output,
        rules.benchmark_nasbench101.output if STUDY.benchmark.nasbench101 else [],
    message:
        "The tabular benchmarks are ready"
