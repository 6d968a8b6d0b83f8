"""benchmark: training results, profiles and published tables in one schema.

in: <results>/space/cells.parquet, <results>/training/*, <results>/profiling/*, or a published file.
out: <results>/benchmark/<benchmark>.parquet, <results>/benchmark/<benchmark>.validation.json.
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
        report=validation_report("study"),
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
        device_name=STUDY.profiling.device_name,
        code=code("benchmark/study.py"),
    message:
        "Aggregating the tabular benchmark"
    script:
        "../workflow_scripts/benchmark/study.py"


rule benchmark_nasbench101:
    input:
        cells=rules.space_whole.output.cells,
        records=published("nasbench101"),
    output:
        table=f"{RESULTS}/benchmark/nasbench101.parquet",
        report=validation_report("nasbench101"),
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
        disagreement=STUDY.benchmark.disagreement,
        code=code("benchmark/nasbench101.py"),
    message:
        "Importing NAS-Bench-101"
    script:
        "../workflow_scripts/benchmark/nasbench101.py"


rule benchmark_eo_hwnas:
    input:
        cells=rules.space_whole.output.cells,
        walks=published("eo_hwnas", "walks"),
        tests=published("eo_hwnas", "tests"),
        macro=published("eo_hwnas", "macro"),
        micro=published("eo_hwnas", "micro"),
        latency=published("eo_hwnas", "latency"),
        macs=published("eo_hwnas", "macs"),
    output:
        table=f"{RESULTS}/benchmark/eo_hwnas.parquet",
        walks=f"{RESULTS}/benchmark/eo_hwnas_walks.parquet",
        report=validation_report("eo_hwnas"),
    log:
        f"{RESULTS}/logs/benchmark/eo_hwnas.log",
    benchmark:
        f"{RESULTS}/runtimes/benchmark/eo_hwnas.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(15),
    params:
        disagreement=STUDY.benchmark.disagreement,
        code=code("benchmark/eo_hwnas.py"),
    message:
        "Importing the published EO benchmark"
    script:
        "../workflow_scripts/benchmark/eo_hwnas.py"


rule benchmark_ec_nas:
    input:
        cells=rules.space_whole.output.cells,
        four=published("ec_nas", "four"),
        five=published("ec_nas", "five"),
    output:
        table=f"{RESULTS}/benchmark/ec_nas.parquet",
        report=validation_report("ec_nas"),
    log:
        f"{RESULTS}/logs/benchmark/ec_nas.log",
    benchmark:
        f"{RESULTS}/runtimes/benchmark/ec_nas.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(15),
    params:
        disagreement=STUDY.benchmark.disagreement,
        code=code("benchmark/ec_nas.py"),
    message:
        "Importing EC-NAS-Bench"
    script:
        "../workflow_scripts/benchmark/ec_nas.py"


rule benchmark_nasbench201:
    input:
        table=published("nasbench201"),
    output:
        table=f"{RESULTS}/benchmark/nasbench201.parquet",
        report=validation_report("nasbench201"),
    log:
        f"{RESULTS}/logs/benchmark/nasbench201.log",
    benchmark:
        f"{RESULTS}/runtimes/benchmark/nasbench201.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(15),
    params:
        disagreement=STUDY.benchmark.disagreement,
        code=code("benchmark/nasbench201.py"),
    message:
        "Importing NAS-Bench-201"
    script:
        "../workflow_scripts/benchmark/nasbench201.py"


rule benchmark_hw_nas_bench:
    input:
        nasbench201=rules.benchmark_nasbench201.output.table,
        records=published("hw_nas_bench"),
    output:
        table=f"{RESULTS}/benchmark/hw_nas_bench.parquet",
        report=validation_report("hw_nas_bench"),
    log:
        f"{RESULTS}/logs/benchmark/hw_nas_bench.log",
    benchmark:
        f"{RESULTS}/runtimes/benchmark/hw_nas_bench.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(15),
    params:
        disagreement=STUDY.benchmark.disagreement,
        code=code("benchmark/hw_nas_bench.py"),
    message:
        "Importing HW-NAS-Bench"
    script:
        "../workflow_scripts/benchmark/hw_nas_bench.py"


rule benchmark_transnas_bench101:
    input:
        macro=published("transnas_bench101", "macro"),
        micro=published("transnas_bench101", "micro"),
    output:
        macro=f"{RESULTS}/benchmark/transnas_bench101_macro.parquet",
        micro=f"{RESULTS}/benchmark/transnas_bench101_micro.parquet",
        report_macro=validation_report("transnas_bench101_macro"),
        report_micro=validation_report("transnas_bench101_micro"),
    log:
        f"{RESULTS}/logs/benchmark/transnas_bench101.log",
    benchmark:
        f"{RESULTS}/runtimes/benchmark/transnas_bench101.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(15),
    params:
        disagreement=STUDY.benchmark.disagreement,
        code=code("benchmark/transnas_bench101.py"),
    message:
        "Importing TransNAS-Bench-101"
    script:
        "../workflow_scripts/benchmark/transnas_bench101.py"


rule benchmark_nasbench_macro:
    input:
        records=published("nasbench_macro"),
    output:
        table=f"{RESULTS}/benchmark/nasbench_macro.parquet",
        report=validation_report("nasbench_macro"),
    log:
        f"{RESULTS}/logs/benchmark/nasbench_macro.log",
    benchmark:
        f"{RESULTS}/runtimes/benchmark/nasbench_macro.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(15),
    params:
        disagreement=STUDY.benchmark.disagreement,
        code=code("benchmark/nasbench_macro.py"),
    message:
        "Importing NAS-Bench-Macro"
    script:
        "../workflow_scripts/benchmark/nasbench_macro.py"


rule benchmark_own:
    input:
        cells=rules.space_cells.output.cells,
        records=published("own"),
    output:
        table=f"{RESULTS}/benchmark/own.parquet",
        report=validation_report("own"),
    log:
        f"{RESULTS}/logs/benchmark/own.log",
    benchmark:
        f"{RESULTS}/runtimes/benchmark/own.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(3000),
        runtime=escalating(30),
    params:
        network=settings("network") | image_shape(),
        code=code("benchmark/own.py"),
    message:
        "Importing a table of your own"
    script:
        "../workflow_scripts/benchmark/own.py"


TABLES = {
    "nasbench101": rules.benchmark_nasbench101,
    "eo_hwnas": rules.benchmark_eo_hwnas,
    "ec_nas": rules.benchmark_ec_nas,
    "nasbench201": rules.benchmark_nasbench201,
    "hw_nas_bench": rules.benchmark_hw_nas_bench,
    "transnas_bench101": rules.benchmark_transnas_bench101,
    "nasbench_macro": rules.benchmark_nasbench_macro,
    "own": rules.benchmark_own,
}
# all tables whose path is configured
IMPORTED = [path for name, made in TABLES.items() if getattr(STUDY.benchmark, name) for path in made.output]


rule tables:
    input:
        imported_tables,
    message:
        "The published tables are imported"


rule benchmark:
    input:
        rules.benchmark_study.output,
        IMPORTED,
    message:
        "The tabular benchmarks are ready"
