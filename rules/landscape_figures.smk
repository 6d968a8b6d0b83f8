"""landscape, continued: its figures and its page.

in: <results>/landscape/*, <results>/benchmark/*. out: <results>/landscape/<benchmark>/*.{png,pdf,svg,csv}, what is said
of the figures (*_words.json), <results>/landscape/index.html.
"""


localrules:
    landscape_accuracy_figures,
    landscape_walk_figures,
    landscape_graph_figures,
    landscape_feature_figures,
    landscape_imbalance_figures,
    landscape_comparison_figures,
    landscape_page,


rule landscape_accuracy_figures:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
    output:
        **landscape_figures(
            "{benchmark}/",
            accuracy_distribution="Accuracy distribution",
            cost_distribution="Distribution of costs",
            latency="Latency against complexity",
        ),
        words=f"{RESULTS}/landscape/{{benchmark}}/accuracy_words.json",
    log:
        f"{RESULTS}/logs/landscape/{{benchmark}}_accuracy_figures.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/{{benchmark}}_accuracy_figures.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(15),
    params:
        axis=LANDSCAPE["latency_axis"],
        code=code("landscape/accuracy_figures.py"),
    message:
        "Drawing accuracies and costs of {wildcards.benchmark}"
    script:
        "../workflow_scripts/landscape/accuracy_figures.py"


rule landscape_walk_figures:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        walks=walks_of,
        ruggedness=rules.landscape_ruggedness.output.ruggedness,
        summary=rules.landscape_ruggedness.output.summary,
    output:
        **landscape_figures(
            "{benchmark}/",
            ruggedness="Ruggedness",
            single_walks="Single walks",
        ),
        words=f"{RESULTS}/landscape/{{benchmark}}/walk_words.json",
    log:
        f"{RESULTS}/logs/landscape/{{benchmark}}_walk_figures.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/{{benchmark}}_walk_figures.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(15),
    params:
        metrics=LANDSCAPE["metrics"],
        code=code("landscape/walk_figures.py"),
    message:
        "Drawing the walks over {wildcards.benchmark}"
    script:
        "../workflow_scripts/landscape/walk_figures.py"


rule landscape_graph_figures:
    input:
        optima=rules.landscape_graph.output.optima,
        measures=rules.landscape_graph.output.measures,
        nodes=rules.landscape_graph.output.nodes,
        edges=rules.landscape_graph.output.edges,
    output:
        **landscape_figures(
            "{benchmark}/{neighbourhood}/",
            basins="Basins of the local optima",
            local_optima_network="Local optima network",
        ),
        words=f"{RESULTS}/landscape/{{benchmark}}/{{neighbourhood}}/graph_words.json",
    log:
        f"{RESULTS}/logs/landscape/{{benchmark}}_{{neighbourhood}}_graph_figures.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/{{benchmark}}_{{neighbourhood}}_graph_figures.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(15),
    params:
        code=code("landscape/graph_figures.py"),
    message:
        "Drawing the local optima of {wildcards.benchmark} on the graph '{wildcards.neighbourhood}'"
    script:
        "../workflow_scripts/landscape/graph_figures.py"


rule landscape_feature_figures:
    input:
        correlations=rules.landscape_features.output.correlations,
        effects=rules.landscape_features.output.effects,
    output:
        **landscape_figures(
            "{benchmark}/",
            feature_correlations="Accuracy against graph features",
            feature_effects="Partial dependence",
        ),
        words=f"{RESULTS}/landscape/{{benchmark}}/feature_words.json",
    log:
        f"{RESULTS}/logs/landscape/{{benchmark}}_feature_figures.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/{{benchmark}}_feature_figures.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(15),
    params:
        code=code("landscape/feature_figures.py"),
    message:
        "Drawing what makes a cell of {wildcards.benchmark} good"
    script:
        "../workflow_scripts/landscape/feature_figures.py"


rule landscape_imbalance_figures:
    input:
        class_counts=rules.data_prepare.output.class_counts,
        class_accuracy=rules.landscape_imbalance.output.class_accuracy,
        accuracy_gaps=rules.landscape_imbalance.output.accuracy_gaps,
        correlations=rules.landscape_imbalance.output.imbalance_correlations,
    output:
        **landscape_figures(
            "study/",
            class_distribution="Class distribution",
            class_accuracy="Class accuracy",
            accuracy_gap="Gap between micro and macro accuracy",
        ),
        words=f"{RESULTS}/landscape/study/imbalance_words.json",
    log:
        f"{RESULTS}/logs/landscape/imbalance_figures.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/imbalance_figures.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(15),
    params:
        dataset=STUDY.data.name,
        code=code("landscape/imbalance_figures.py"),
    message:
        "Drawing the classes and their imbalance"
    script:
        "../workflow_scripts/landscape/imbalance_figures.py"


rule landscape_comparison_figures:
    input:
        footprints=expand(rules.landscape_footprint.output.footprint, benchmark=LANDSCAPE["benchmarks"]),
        autocorrelations=[path.format(table="autocorrelation") for path in GRAPH_ANALYSES],
        measures=[path.format(table="measures") for path in GRAPH_ANALYSES],
        correlations=rules.landscape_correlations.output.correlations,
        conclusions=rules.landscape_conclusions.output.conclusions,
    output:
        **landscape_figures(
            "",
            footprint="Footprint",
            autocorrelation="Autocorrelation function",
            objectives="Objectives on the neighbour graph",
            correlations="Rank correlations",
            conclusions="Conclusions of the thesis",
        ),
        words=f"{RESULTS}/landscape/comparison_words.json",
    log:
        f"{RESULTS}/logs/landscape/comparison_figures.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/comparison_figures.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(15),
    params:
        neighbourhoods=LANDSCAPE["neighbourhoods"] * len(LANDSCAPE["benchmarks"]),
        code=code("landscape/comparison_figures.py"),
    message:
        "Drawing all analysed landscapes together"
    script:
        "../workflow_scripts/landscape/comparison_figures.py"


rule landscape_page:
    input:
        words=[path for path, _ in LANDSCAPE_FIGURES],
        tables=[path for tables in LANDSCAPE_SHOWN.values() for path in tables.values()],
    output:
        page=report(
            f"{RESULTS}/landscape/index.html",
            caption="captions/landscape_page.rst",
            category="Landscape",
            labels={"content": "All of the landscape", "kind": "page"},
        ),
    log:
        f"{RESULTS}/logs/landscape/page.log",
    benchmark:
        f"{RESULTS}/runtimes/landscape/page.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(10),
    params:
        groups=[name for _, name in LANDSCAPE_FIGURES],
        tables=LANDSCAPE_SHOWN,
        title=STUDY.report.title,
        code=code("landscape/page.py"),
        template=page_digest(),
    message:
        "Writing the page of the landscape to {output.page}"
    script:
        "../workflow_scripts/landscape/page.py"


rule landscape:
    input:
        LANDSCAPE_TABLES,
        rules.landscape_imbalance.output if "study" in LANDSCAPE["benchmarks"] else [],
        rules.landscape_page.output,
    message:
        "The landscape is analysed"
