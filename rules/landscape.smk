"""landscape: what tabular benchmarks look like as fitness landscapes; the tables. landscape_figures.smk draws them.

in: <results>/benchmark/<benchmark>.parquet, <results>/space/*, walks, <results>/data/class_counts.parquet.
out: <results>/landscape/<benchmark>/*, <results>/landscape/{correlations,conclusions}.parquet.
"""


localrules:
    landscape_summary,
    landscape_ruggedness,
    landscape_imbalance,


rule landscape_summary:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
    output:
        summary=report(
            f"{RESULTS}/landscape/{{benchmark}}/accuracy_summary.csv",
            caption="captions/accuracy_summary.rst",
            category="Landscape",
            labels={"content": "Accuracies of {benchmark}", "kind": "table"},
        ),
        distributions=f"{RESULTS}/landscape/{{benchmark}}/distributions.parquet",
    log:
        f"{RESULTS}/logs/landscape/{{benchmark}}_summary.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/{{benchmark}}_summary.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        metrics=LANDSCAPE["metrics"] + LANDSCAPE["costs"],
        code=code("landscape/summary.py"),
    message:
        "Summarising the accuracies and costs of {wildcards.benchmark}"
    script:
        "../workflow_scripts/landscape/summary.py"


rule landscape_ruggedness:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        walks=walks_of,
    output:
        ruggedness=f"{RESULTS}/landscape/{{benchmark}}/ruggedness.parquet",
        summary=f"{RESULTS}/landscape/{{benchmark}}/ruggedness_summary.parquet",
    log:
        f"{RESULTS}/logs/landscape/{{benchmark}}_ruggedness.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/{{benchmark}}_ruggedness.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(20),
    params:
        metrics=LANDSCAPE["metrics"],
        resamples=LANDSCAPE["resamples"],
        seed=STUDY.seed,
        code=code("landscape/ruggedness.py"),
    message:
        "Computing the ruggedness of {wildcards.benchmark} along its walks"
    script:
        "../workflow_scripts/landscape/ruggedness.py"


rule landscape_graph:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        cells=rules.space_cells.output.cells,
        indptr=rules.space_neighbours.output.indptr,
        indices=rules.space_neighbours.output.indices,
        graph=rules.space_neighbours.output.summary,
    output:
        **{name: f"{RESULTS}/landscape/{{benchmark}}/{{neighbourhood}}/{name}.parquet" for name in GRAPH_TABLES},
    log:
        f"{RESULTS}/logs/landscape/{{benchmark}}_{{neighbourhood}}_graph.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/{{benchmark}}_{{neighbourhood}}_graph.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(3000),
        runtime=escalating(30),
    params:
        metrics=[LANDSCAPE["fitness"], *LANDSCAPE["costs"]],
        settings=settings("landscape", "walks", "steps", "tolerance", "resamples"),
        seed=STUDY.seed,
        code=code("landscape/graph.py"),
    message:
        "Analysing the landscape of {wildcards.benchmark} on the graph '{wildcards.neighbourhood}'"
    script:
        "../workflow_scripts/landscape/graph.py"


rule landscape_footprint:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        ruggedness=rules.landscape_ruggedness.output.summary,
        measures=footprint_measures,
    output:
        footprint=f"{RESULTS}/landscape/{{benchmark}}/footprint.parquet",
    log:
        f"{RESULTS}/logs/landscape/{{benchmark}}_footprint.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/{{benchmark}}_footprint.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(20),
    params:
        fitness=LANDSCAPE["fitness"],
        resamples=LANDSCAPE["resamples"],
        seed=STUDY.seed,
        code=code("landscape/footprint.py"),
    message:
        "Computing the footprint of {wildcards.benchmark}"
    script:
        "../workflow_scripts/landscape/footprint.py"


rule landscape_features:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        cells=rules.space_cells.output.cells,
    output:
        correlations=f"{RESULTS}/landscape/{{benchmark}}/feature_correlations.parquet",
        effects=f"{RESULTS}/landscape/{{benchmark}}/feature_effects.parquet",
    log:
        f"{RESULTS}/logs/landscape/{{benchmark}}_features.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/{{benchmark}}_features.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(20),
    params:
        metrics=LANDSCAPE["metrics"],
        network=settings("network"),
        image=image_shape(),
        resamples=LANDSCAPE["resamples"],
        seed=STUDY.seed,
        code=code("landscape/features.py"),
    message:
        "Relating the accuracies of {wildcards.benchmark} to its cells' graphs"
    script:
        "../workflow_scripts/landscape/features.py"


rule landscape_correlations:
    input:
        tables=expand(f"{RESULTS}/benchmark/{{benchmark}}.parquet", benchmark=LANDSCAPE["benchmarks"]),
    output:
        correlations=f"{RESULTS}/landscape/correlations.parquet",
    log:
        f"{RESULTS}/logs/landscape/correlations.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/correlations.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(20),
    params:
        metrics=LANDSCAPE["metrics"],
        costs=LANDSCAPE["costs"],
        resamples=LANDSCAPE["resamples"],
        seed=STUDY.seed,
        code=code("landscape/correlations.py"),
    message:
        "Correlating accuracies, costs and fidelities"
    script:
        "../workflow_scripts/landscape/correlations.py"


rule landscape_conclusions:
    input:
        tables=expand(f"{RESULTS}/benchmark/{{benchmark}}.parquet", benchmark=LANDSCAPE["benchmarks"]),
        walks=[walks_over(name) for name in LANDSCAPE["benchmarks"]],
    output:
        conclusions=f"{RESULTS}/landscape/conclusions.parquet",
    log:
        f"{RESULTS}/logs/landscape/conclusions.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/conclusions.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(20),
    params:
        metrics=LANDSCAPE["metrics"],
        resamples=LANDSCAPE["resamples"],
        seed=STUDY.seed,
        code=code("landscape/conclusions.py"),
    message:
        "Testing the conclusions of the thesis"
    script:
        "../workflow_scripts/landscape/conclusions.py"


rule landscape_imbalance:
    input:
        table=rules.benchmark_study.output.table,
        class_counts=rules.data_prepare.output.class_counts,
        classes=expand(rules.training_train.output.classes, hash=ARCHITECTURES),
    output:
        **{
            name: f"{RESULTS}/landscape/study/{name}.parquet"
            for name in ("class_balance", "class_accuracy", "accuracy_gaps", "imbalance_correlations")
        },
    log:
        f"{RESULTS}/logs/landscape/imbalance.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/imbalance.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        dataset=STUDY.data.name,
        resamples=LANDSCAPE["resamples"],
        seed=STUDY.seed,
        code=code("landscape/imbalance.py"),
    message:
        "Relating accuracies to the imbalance of the classes"
    script:
        "../workflow_scripts/landscape/imbalance.py"
