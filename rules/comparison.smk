"""comparison: indicators of the searches, tests between the arms, figures.

in: <results>/search/<benchmark>/*, <results>/benchmark/<benchmark>.parquet. out: <results>/comparison/<benchmark>/*.
"""


localrules:
    comparison_tests,
    comparison_violin_figure,
    comparison_front_figure,
    comparison_anytime_figure,


rule comparison_indicators:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        cells=rules.space_cells.output.cells,
        fronts=expand(rules.search_run.output.fronts, arm=ARMS, allow_missing=True),
        evaluations=expand(rules.search_run.output.evaluations, arm=ARMS, allow_missing=True),
    output:
        indicators=f"{RESULTS}/comparison/{{benchmark}}/indicators.parquet",
        anytime=f"{RESULTS}/comparison/{{benchmark}}/anytime.parquet",
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_indicators.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_indicators.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(30),
    params:
        objectives=STUDY.search.objectives,
        charged=STUDY.surrogates.training_sample,
        code=code("comparison/indicators.py"),
    message:
        "Computing hypervolume, distance to the true front and diversity"
    script:
        "../workflow_scripts/comparison/indicators.py"


rule comparison_tests:
    input:
        indicators=rules.comparison_indicators.output.indicators,
    output:
        tests=report(
            f"{RESULTS}/comparison/{{benchmark}}/tests.csv",
            caption="captions/tests.rst",
            category="Comparison",
            labels={"content": "Tests", "kind": "table"},
        ),
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_tests.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_tests.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        comparison=settings("comparison"),
        objectives=STUDY.search.objectives,
        budgets=settings("search", "budgets")["budgets"],
        seed=STUDY.seed,
        code=code("comparison/tests.py"),
    message:
        "Testing the arms against each other"
    script:
        "../workflow_scripts/comparison/tests.py"


rule comparison_violin_figure:
    input:
        indicators=rules.comparison_indicators.output.indicators,
    output:
        **figure_report(
            "comparison/{benchmark}/violins",
            caption="captions/violins.rst",
            category="Comparison",
            content="Indicators of both arms",
        ),
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_violin_figure.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_violin_figure.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        objectives=STUDY.search.objectives,
        budgets=settings("search", "budgets")["budgets"],
        code=code("comparison/violin_figure.py"),
    message:
        "Drawing the indicators"
    script:
        "../workflow_scripts/comparison/violin_figure.py"


rule comparison_front_figure:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        fronts=expand(rules.search_run.output.fronts, arm=ARMS, allow_missing=True),
    output:
        **figure_report(
            "comparison/{benchmark}/fronts",
            caption="captions/fronts.rst",
            category="Comparison",
            content="Fronts found",
        ),
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_front_figure.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_front_figure.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(10),
    params:
        objectives=STUDY.search.objectives,
        code=code("comparison/front_figure.py"),
    message:
        "Drawing the fronts"
    script:
        "../workflow_scripts/comparison/front_figure.py"


rule comparison_anytime_figure:
    input:
        anytime=rules.comparison_indicators.output.anytime,
    output:
        **figure_report(
            "comparison/{benchmark}/anytime",
            caption="captions/anytime.rst",
            category="Comparison",
            content="Hypervolume over evaluations",
        ),
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_anytime_figure.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_anytime_figure.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        charged=STUDY.surrogates.training_sample,
        code=code("comparison/anytime_figure.py"),
    message:
        "Drawing hypervolume over evaluations"
    script:
        "../workflow_scripts/comparison/anytime_figure.py"


rule comparison:
    input:
        expand(
            [
                *rules.comparison_indicators.output,
                *rules.comparison_tests.output,
                *rules.comparison_violin_figure.output,
                *rules.comparison_front_figure.output,
                *rules.comparison_anytime_figure.output,
            ],
            benchmark=STUDY.search.benchmark,
        ),
    message:
        "The searches are compared"
