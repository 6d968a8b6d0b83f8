"""landscape: what the study's benchmark looks like as a fitness landscape.

in: <results>/benchmark/study.parquet, <results>/sampling/walks.parquet, <results>/data/class_counts.parquet.
out: <results>/landscape/study/*.
"""


localrules:
    landscape_summary,
    landscape_ruggedness,
    landscape_class_figure,
    landscape_accuracy_figure,
    landscape_latency_figure,
    landscape_ruggedness_figure,


rule landscape_summary:
    input:
        table=rules.benchmark_study.output.table,
    output:
        summary=report(
            f"{RESULTS}/landscape/study/accuracy_summary.csv",
            caption="captions/accuracy_summary.rst",
            category="Landscape",
            labels={"content": "Accuracies", "kind": "table"},
        ),
    log:
        f"{RESULTS}/logs/landscape/summary.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/summary.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        code=code("landscape/summary.py"),
    message:
        "Summarising the accuracies"
    script:
        "../workflow_scripts/landscape/summary.py"


rule landscape_ruggedness:
    input:
        table=rules.benchmark_study.output.table,
        walks=rules.sampling_walks.output.walks,
    output:
        ruggedness=f"{RESULTS}/landscape/study/ruggedness.parquet",
    log:
        f"{RESULTS}/logs/landscape/ruggedness.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/ruggedness.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        metrics=STUDY.landscape.metrics,
        code=code("landscape/ruggedness.py"),
    message:
        "Computing the ruggedness along the walks"
    script:
        "../workflow_scripts/landscape/ruggedness.py"


rule landscape_class_figure:
    input:
        class_counts=rules.data_prepare.output.class_counts,
    output:
        **figure_report(
            "landscape/study/class_distribution",
            caption="captions/class_distribution.rst",
            category="Landscape",
            content="Class distribution",
        ),
    log:
        f"{RESULTS}/logs/landscape/class_figure.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/class_figure.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        dataset=STUDY.data.name,
        code=code("landscape/class_figure.py"),
    message:
        "Drawing the class distribution"
    script:
        "../workflow_scripts/landscape/class_figure.py"


rule landscape_accuracy_figure:
    input:
        table=rules.benchmark_study.output.table,
    output:
        **figure_report(
            "landscape/study/accuracy_distribution",
            caption="captions/accuracy_distribution.rst",
            category="Landscape",
            content="Accuracy distribution",
        ),
    log:
        f"{RESULTS}/logs/landscape/accuracy_figure.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/accuracy_figure.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        code=code("landscape/accuracy_figure.py"),
    message:
        "Drawing the accuracy distribution"
    script:
        "../workflow_scripts/landscape/accuracy_figure.py"


rule landscape_latency_figure:
    input:
        table=rules.benchmark_study.output.table,
    output:
        **figure_report(
            "landscape/study/latency",
            caption="captions/latency.rst",
            category="Landscape",
            content="Latency against complexity",
        ),
    log:
        f"{RESULTS}/logs/landscape/latency_figure.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/latency_figure.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        axis=STUDY.landscape.latency_axis,
        code=code("landscape/latency_figure.py"),
    message:
        "Drawing latency against {params.axis}"
    script:
        "../workflow_scripts/landscape/latency_figure.py"


rule landscape_ruggedness_figure:
    input:
        ruggedness=rules.landscape_ruggedness.output.ruggedness,
    output:
        **figure_report(
            "landscape/study/ruggedness",
            caption="captions/ruggedness.rst",
            category="Landscape",
            content="Ruggedness",
        ),
    log:
        f"{RESULTS}/logs/landscape/ruggedness_figure.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/ruggedness_figure.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        code=code("landscape/ruggedness_figure.py"),
    message:
        "Drawing the ruggedness"
    script:
        "../workflow_scripts/landscape/ruggedness_figure.py"


rule landscape:
    input:
        rules.landscape_summary.output,
        rules.landscape_ruggedness.output,
        rules.landscape_class_figure.output,
        rules.landscape_accuracy_figure.output,
        rules.landscape_latency_figure.output,
        rules.landscape_ruggedness_figure.output,
    message:
        "The landscape is analysed"
