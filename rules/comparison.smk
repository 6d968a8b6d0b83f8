"""comparison: indicators of the searches, tests between the arms, figures, and a page on all of it.

in: <results>/search/<benchmark>/*, <results>/benchmark/<benchmark>.parquet. out: <results>/comparison/<benchmark>/*.
"""


localrules:
    comparison_tests,
    comparison_iohprofiler,
    comparison_indicator_figures,
    comparison_front_figures,
    comparison_anytime_figure,
    comparison_walk_figure,
    comparison_page,


FRONTS_OF_ARMS = expand(rules.search_run.output.fronts, arm=ARMS, allow_missing=True)
EVALUATIONS_OF_ARMS = expand(rules.search_run.output.evaluations, arm=ARMS, allow_missing=True)
RUNS_OF_ARMS = expand(rules.search_run.output.runs, arm=ARMS, allow_missing=True)
# what the searches saw where the benchmark knows nothing
FILLED = [rules.surrogates_benchmark.output.table] if STUDY.search.unknown == "predict" else []


rule comparison_indicators:
    input:
        unpack(searched_space),
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        filled=FILLED,
        fronts=FRONTS_OF_ARMS,
        evaluations=EVALUATIONS_OF_ARMS,
    output:
        indicators=f"{RESULTS}/comparison/{{benchmark}}/indicators.parquet",
        trajectory=f"{RESULTS}/comparison/{{benchmark}}/trajectory.parquet",
        anytime=f"{RESULTS}/comparison/{{benchmark}}/anytime.parquet",
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_indicators.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_indicators.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(3000),
        runtime=escalating(60),
    params:
        searched=searched_objectives(),
        charged=STUDY.surrogates.training_sample,
        code=code("comparison/indicators.py"),
    message:
        "Computing hypervolume, distance to the true front and diversity"
    script:
        "../workflow_scripts/comparison/indicators.py"


rule comparison_tests:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        indicators=rules.comparison_indicators.output.indicators,
    output:
        **comparison_tables("tests", "ranks", "rank_pairs", "conclusions"),
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_tests.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_tests.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(30),
    params:
        comparison=settings("comparison") | {"seed": STUDY.seed},
        searched=searched_objectives(),
        budgets=BUDGETS,
        code=code("comparison/tests.py"),
    message:
        "Testing the arms against each other"
    script:
        "../workflow_scripts/comparison/tests.py"


rule comparison_iohprofiler:
    input:
        anytime=rules.comparison_indicators.output.anytime,
    output:
        archive=f"{RESULTS}/comparison/{{benchmark}}/iohprofiler.zip",
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_iohprofiler.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_iohprofiler.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        objectives=STUDY.search.objectives,
        # length of the vector that searches compare architectures by: 17x17 bits, or six operations of five kinds
        dimension=30 if STUDY.search.benchmark in OTHER_SPACES else 289,
        code=code("comparison/iohprofiler.py"),
    message:
        "Writing the searches for IOHanalyzer"
    script:
        "../workflow_scripts/comparison/iohprofiler.py"


rule comparison_indicator_figures:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        indicators=rules.comparison_indicators.output.indicators,
        tests=rules.comparison_tests.output.tests,
        ranks=rules.comparison_tests.output.ranks,
        rank_pairs=rules.comparison_tests.output.rank_pairs,
    output:
        **comparison_figures("indicator", "violins", "all_arms", "effects", "rank_diagram"),
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_indicator_figures.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_indicator_figures.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(20),
    params:
        searched=searched_objectives(),
        pair={"arms": PAIR, "budgets": [BUDGETS[arm] for arm in PAIR]},
        code=code("comparison/indicator_figures.py"),
    message:
        "Drawing indicators, effects and ranks"
    script:
        "../workflow_scripts/comparison/indicator_figures.py"


rule comparison_front_figures:
    input:
        unpack(searched_space),
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        filled=FILLED,
        fronts=FRONTS_OF_ARMS,
    output:
        **comparison_figures("front", "fronts", "attainment", "front_cells"),
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_front_figures.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_front_figures.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(3000),
        runtime=escalating(20),
    params:
        searched=searched_objectives(),
        pair={"arms": PAIR, "budgets": [BUDGETS[arm][-1] for arm in PAIR]},
        code=code("comparison/front_figures.py"),
    message:
        "Drawing the fronts"
    script:
        "../workflow_scripts/comparison/front_figures.py"


rule comparison_anytime_figure:
    input:
        anytime=rules.comparison_indicators.output.anytime,
    output:
        **comparison_figures("anytime", "anytime", "anytime_arms"),
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_anytime_figure.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_anytime_figure.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(20),
    params:
        pair=PAIR,
        code=code("comparison/anytime_figure.py"),
    message:
        "Drawing hypervolume over evaluations"
    script:
        "../workflow_scripts/comparison/anytime_figure.py"


rule comparison_walk_figure:
    input:
        unpack(searched_space),
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        evaluations=f"{RESULTS}/search/{{benchmark}}/{PAIR[0]}/evaluations.parquet",
    output:
        **comparison_figures("walk", "walk"),
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_walk_figure.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_walk_figure.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(3000),
        runtime=escalating(20),
    params:
        searched=searched_objectives(),
        arm=PAIR[0],
        code=code("comparison/walk_figure.py"),
    message:
        "Drawing a search in architecture space"
    script:
        "../workflow_scripts/comparison/walk_figure.py"


rule comparison_page:
    input:
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
        tests=rules.comparison_tests.output.tests,
        ranks=rules.comparison_tests.output.ranks,
        conclusions=rules.comparison_tests.output.conclusions,
        indicators=rules.comparison_indicators.output.indicators,
        runs=RUNS_OF_ARMS,
        plateau=rules.surrogates_size_analysis.output.plateau,
        calibration=[rules.surrogates_benchmark.output.calibration] if STUDY.search.unknown == "predict" else [],
        words=[
            rules.comparison_indicator_figures.output.words,
            rules.comparison_front_figures.output.words,
            rules.comparison_anytime_figure.output.words,
            rules.comparison_walk_figure.output.words,
        ],
        figures=expand(f"{RESULTS}/comparison/{{benchmark}}/{{name}}.png", name=COMPARISON_FIGURES, allow_missing=True),
    output:
        page=report(
            f"{RESULTS}/comparison/{{benchmark}}/index.html",
            caption="captions/comparison_page.rst",
            category="Comparison",
            labels={"content": "All of the searches", "kind": "page"},
        ),
    log:
        f"{RESULTS}/logs/comparison/{{benchmark}}_page.log",
    benchmark:
        f"{RESULTS}/runtimes/comparison/{{benchmark}}_page.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(10),
    params:
        title=STUDY.report.title,
        dataset=STUDY.search.dataset,
        study=search_study(),
        synthetic=STUDY.search.benchmark == "study" and STUDY.data.source == "synthetic",
        code=code("comparison/page.py"),
        template=page_digest(),
    message:
        "Writing the page on the searches"
    script:
        "../workflow_scripts/comparison/page.py"


rule comparison:
    input:
        expand(
            [
                *rules.comparison_indicators.output,
                *rules.comparison_tests.output,
                *rules.comparison_iohprofiler.output,
                *rules.comparison_indicator_figures.output,
                *rules.comparison_front_figures.output,
                *rules.comparison_anytime_figure.output,
                *rules.comparison_walk_figure.output,
                *rules.comparison_page.output,
            ],
            benchmark=STUDY.search.benchmark,
        ),
    message:
        "The searches are compared"
