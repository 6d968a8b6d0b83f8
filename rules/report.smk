"""report: one folder of pages that show what came out, and what it was made with.

in: everything above. out: <results>/report/, <results>/config.yaml, <results>/software.json.
"""


localrules:
    report_provenance,
    report_page,


# benchmarks whose architectures can be looked at one by one
EXPLORED = list(dict.fromkeys(["study", STUDY.search.benchmark, *LANDSCAPE["benchmarks"]]))
GRAPH_FILES = [getattr(rules.space_neighbours.output, name) for name in ("indptr", "indices", "summary")]
SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*/*.py"))
# names of parameters by rule: Snakemake records values alone, and a number does not say what it is (dictionaries do)
PARAM_NAMES = {
    made.name: {name: repr(value) for name, value in made.params.items() if isinstance(value, (int, float, str, list))}
    for made in workflow.rules
}


rule report_provenance:
    output:
        config=f"{RESULTS}/config.yaml",
        software=f"{RESULTS}/software.json",
    log:
        f"{RESULTS}/logs/report/provenance.log",
    benchmark:
        f"{RESULTS}/runtimes/report/provenance.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        config=STUDY.model_dump(mode="json"),
        # any code that changes results changes what the record of the software must say
        code=[code(script.relative_to(ROOT / "workflow_scripts")) for script in SCRIPTS],
    message:
        "Writing the effective configuration and the software versions"
    script:
        "../workflow_scripts/report/provenance.py"


rule report_page:
    input:
        **{
            name: path.format(neighbourhood=STUDY.search.neighbourhood)
            for name, path in zip(("indptr", "indices", "graph"), GRAPH_FILES)
        },
        config=rules.report_provenance.output.config,
        software=rules.report_provenance.output.software,
        cells=rules.space_cells.output.cells,
        graphs=expand(rules.space_neighbours.output.summary, neighbourhood=NEIGHBOURHOODS),
        walks=rules.sampling_walks.output.walks,
        class_counts=rules.data_prepare.output.class_counts,
        manifest=rules.data_prepare.output.manifest,
        statuses=expand(rules.training_train.output.status, hash=ARCHITECTURES),
        epochs=expand(rules.training_train.output.metrics, hash=ARCHITECTURES),
        profiles=expand(rules.profiling_collect.output.profiles, device=STUDY.profiling.device),
        conditions=expand(rules.profiling_collect.output.conditions, device=STUDY.profiling.device),
        measurements=expand(rules.profiling_collect.input.measurements, device=STUDY.profiling.device),
        table=rules.benchmark_study.output.table,
        validations=[path for path in [rules.benchmark_study.output.report, *IMPORTED] if path.endswith(".json")],
        ruggedness=f"{RESULTS}/landscape/study/ruggedness.parquet",
        class_words=rules.landscape_imbalance_figures.output.words,
        landscape_words=rules.landscape_page.input.words,
        landscape_tables=rules.landscape_page.input.tables,
        scores=searched("surrogates/{benchmark}/scores.parquet"),
        plateau=searched("surrogates/{benchmark}/plateau.csv"),
        size_figure=searched("surrogates/{benchmark}/size_analysis.png"),
        predicted=searched("surrogates/{benchmark}/predicted_fronts.parquet"),
        calibration=[path.format(benchmark=STUDY.search.benchmark) for path in rules.comparison_page.input.calibration],
        searched=searched("benchmark/{benchmark}.parquet"),
        filled=[path.format(benchmark=STUDY.search.benchmark) for path in FILLED],
        runs=[searched(f"search/{{benchmark}}/{arm}/runs.parquet") for arm in ARMS],
        evaluations=[searched(f"search/{{benchmark}}/{arm}/evaluations.parquet") for arm in ARMS],
        queue=[searched(f"search/{{benchmark}}/{arm}/queue.parquet") for arm in ARMS],
        anytime=searched("comparison/{benchmark}/anytime.parquet"),
        indicators=searched("comparison/{benchmark}/indicators.parquet"),
        tests=searched("comparison/{benchmark}/tests.parquet"),
        ranks=searched("comparison/{benchmark}/ranks.parquet"),
        conclusions=searched("comparison/{benchmark}/conclusions.parquet"),
        search_words=[
            searched(f"comparison/{{benchmark}}/{group}_words.json")
            for group in ("indicator", "front", "anytime", "walk")
        ],
        explored=[f"{RESULTS}/benchmark/{name}.parquet" for name in EXPLORED],
        explored_walks=[walks_over(name) for name in EXPLORED],
    output:
        site=report(
            directory(f"{RESULTS}/report"),
            htmlindex="index.html",
            caption="captions/report_page.rst",
            category="Report",
            labels={"content": "All pages", "kind": "page"},
        ),
    log:
        f"{RESULTS}/logs/report/page.log",
    benchmark:
        f"{RESULTS}/runtimes/report/page.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(3000),
        runtime=escalating(20),
    params:
        dataset=STUDY.search.dataset,
        study=search_study(),
        groups=[name for _, name in LANDSCAPE_FIGURES],
        tables=LANDSCAPE_SHOWN,
        explored=EXPLORED,
        runtimes=f"{RESULTS}/runtimes",
        names=PARAM_NAMES,
        code=code("report/page.py"),
        templates=shell_digest(),
    message:
        "Writing the report"
    script:
        "../workflow_scripts/report/page.py"


rule report:
    input:
        rules.benchmark.input,
        rules.landscape.input,
        rules.surrogates.input,
        rules.search.input,
        rules.comparison.input,
        site=rules.report_page.output.site,
    message:
        "The report is at {input.site}/index.html"
