"""report: one page that shows what came out, and what it was made with.

in: everything above. out: <results>/report/index.html, <results>/config.yaml, <results>/software.json.
"""


localrules:
    report_provenance,
    report_page,


SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*/*.py"))


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
        config=rules.report_provenance.output.config,
        software=rules.report_provenance.output.software,
        cells=rules.space_cells.output.cells,
        graphs=expand(rules.space_neighbours.output.summary, neighbourhood=NEIGHBOURHOODS),
        walks=rules.sampling_walks.output.walks,
        class_counts=rules.data_prepare.output.class_counts,
        manifest=rules.data_prepare.output.manifest,
        statuses=expand(rules.training_train.output.status, hash=ARCHITECTURES),
        table=rules.benchmark_study.output.table,
        validations=[path for path in [rules.benchmark_study.output.report, *IMPORTED] if path.endswith(".json")],
        accuracy_summary=f"{RESULTS}/landscape/study/accuracy_summary.csv",
        ruggedness=f"{RESULTS}/landscape/study/ruggedness.parquet",
        scores=searched("surrogates/{benchmark}/scores.parquet"),
        predicted=searched("surrogates/{benchmark}/predicted_fronts.parquet"),
        searched_table=searched("benchmark/{benchmark}.parquet"),
        runs=[searched(f"search/{{benchmark}}/{arm}/runs.parquet") for arm in ARMS],
        indicators=searched("comparison/{benchmark}/indicators.parquet"),
        tests=searched("comparison/{benchmark}/tests.parquet"),
        ranks=searched("comparison/{benchmark}/ranks.parquet"),
        conclusions=searched("comparison/{benchmark}/conclusions.parquet"),
        words=[searched(f"comparison/{{benchmark}}/{group}_words.json") for group in ("indicator", "front", "anytime")],
        figures=[
            f"{RESULTS}/landscape/study/class_distribution.png",
            f"{RESULTS}/landscape/study/accuracy_distribution.png",
            f"{RESULTS}/landscape/study/latency.png",
            f"{RESULTS}/landscape/study/ruggedness.png",
            searched("surrogates/{benchmark}/size_analysis.png"),
        ],
    output:
        page=report(
            f"{RESULTS}/report/index.html",
            caption="captions/page.rst",
            category="Report",
            labels={"content": "Study", "kind": "page"},
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
        runtime=escalating(10),
    params:
        dataset=STUDY.search.dataset,
        study=search_study(),
        code=code("report/page.py"),
        template=sha256_file(ROOT / "terranas" / "core" / "templates" / "page.html"),
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
        page=rules.report_page.output.page,
    message:
        "The report is at {input.page}"
