"""surrogates: predictors of the objectives, their scores, and what they predict.

in: <results>/benchmark/<benchmark>.parquet, <results>/space/cells.parquet. out: <results>/surrogates/<benchmark>/*.
"""


localrules:
    surrogates_size_figure,


rule surrogates_size_analysis:
    input:
        unpack(searched_space),
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
    output:
        scores=f"{RESULTS}/surrogates/{{benchmark}}/scores.parquet",
        plateau=f"{RESULTS}/surrogates/{{benchmark}}/plateau.csv",
    log:
        f"{RESULTS}/logs/surrogates/{{benchmark}}_size_analysis.log",
    benchmark:
        f"{RESULTS}/runtimes/surrogates/{{benchmark}}_size_analysis.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(3000),
        runtime=escalating(120),
    params:
        searched=searched_objectives(),
        regressor=regressor_settings(),
        sizes=settings("surrogates", "compared", "sizes", "repeats", "plateau") | {"seed": STUDY.seed},
        code=code("surrogates/size_analysis.py"),
    message:
        "Scoring surrogates by training-set size"
    script:
        "../workflow_scripts/surrogates/size_analysis.py"


rule surrogates_size_figure:
    input:
        scores=rules.surrogates_size_analysis.output.scores,
    output:
        **figure_report(
            "surrogates/{benchmark}/size_analysis",
            caption="captions/size_analysis.rst",
            category="Surrogates",
            content="Training-set size",
        ),
    log:
        f"{RESULTS}/logs/surrogates/{{benchmark}}_size_figure.log",
    benchmark:
        f"{RESULTS}/runtimes/surrogates/{{benchmark}}_size_figure.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        plateau=STUDY.surrogates.plateau,
        code=code("surrogates/size_figure.py"),
    message:
        "Drawing the surrogates' scores"
    script:
        "../workflow_scripts/surrogates/size_figure.py"


rule surrogates_predict:
    input:
        unpack(searched_space),
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
    output:
        samples=f"{RESULTS}/surrogates/{{benchmark}}/training_samples.parquet",
        fronts=f"{RESULTS}/surrogates/{{benchmark}}/predicted_fronts.parquet",
        predictions=f"{RESULTS}/surrogates/{{benchmark}}/predictions.parquet",
    log:
        f"{RESULTS}/logs/surrogates/{{benchmark}}_predict.log",
    benchmark:
        f"{RESULTS}/runtimes/surrogates/{{benchmark}}_predict.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(3000),
        runtime=escalating(60),
    params:
        searched=searched_objectives(),
        regressor=regressor_settings(),
        repetitions={"seeds": STUDY.search.seeds, "sample": STUDY.surrogates.training_sample, "seed": STUDY.seed},
        code=code("surrogates/predict.py"),
    message:
        "Predicting the front from {params.repetitions[sample]} architectures, {params.repetitions[seeds]} times"
    script:
        "../workflow_scripts/surrogates/predict.py"


rule surrogates_benchmark:
    input:
        unpack(searched_space),
        table=f"{RESULTS}/benchmark/{{benchmark}}.parquet",
    output:
        table=f"{RESULTS}/surrogates/{{benchmark}}/benchmark.parquet",
        calibration=f"{RESULTS}/surrogates/{{benchmark}}/calibration.csv",
    log:
        f"{RESULTS}/logs/surrogates/{{benchmark}}_benchmark.log",
    benchmark:
        f"{RESULTS}/runtimes/surrogates/{{benchmark}}_benchmark.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(4000),
        runtime=escalating(60),
    params:
        searched=searched_objectives(),
        regressor=regressor_settings(),
        ensemble=settings("surrogates", "ensemble", "ensemble_sample") | {"seed": STUDY.seed},
        code=code("surrogates/benchmark.py"),
    message:
        "Filling in what the benchmark does not know"
    script:
        "../workflow_scripts/surrogates/benchmark.py"


rule surrogates:
    input:
        expand(
            [
                *rules.surrogates_size_analysis.output,
                *rules.surrogates_size_figure.output,
                *rules.surrogates_predict.output,
                *rules.surrogates_benchmark.output,
            ],
            benchmark=STUDY.search.benchmark,
        ),
    message:
        "The surrogates are fitted"
