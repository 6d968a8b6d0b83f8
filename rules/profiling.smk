"""profiling: sessions that measure a batch of architectures on one device.

in: the architectures (and their trained weights where those are measured). out: <results>/profiling/*.

A session's architectures stand among its params and not in an input file. An `ancient` list would not do, since
Snakemake compares no params of a job whose ancient inputs are about to be made anew.
"""


localrules:
    profiling_collect,
    profiling_report,
    device_report,


rule profiling_session:
    input:
        weights=session_weights,
    output:
        measurements=f"{RESULTS}/profiling/{{device}}/session_{{session}}.parquet",
        samples=f"{RESULTS}/profiling/{{device}}/session_{{session}}_samples.parquet",
        sizes=f"{RESULTS}/profiling/{{device}}/session_{{session}}_sizes.parquet",
    log:
        f"{RESULTS}/logs/profiling/{{device}}_session_{{session}}.log",
    benchmark:
        f"{RESULTS}/runtimes/profiling/{{device}}_session_{{session}}.tsv"
    conda:
        "../envs/terranas.yaml"
    # nothing else may run on the machine while a clock is running
    threads: alone(STUDY.profiling.threads)
    resources:
        mem_mb=session_megabytes,
        runtime=session_minutes,
        gpu=gpus("profiling"),
        nodes=1,
    params:
        members=session_members,
        network=settings("network"),
        image=image_shape(),
        settings=session_settings,
        seed=STUDY.seed,
        numerics=f"profiling {PROFILING_NUMERICS}",
        backend=lambda wildcards: STUDY.profiling.backend,
        state=subpath(output.measurements, ancestor=2),
    message:
        "Measuring session {wildcards.session} on {wildcards.device}"
    script:
        "../workflow_scripts/profiling/session.py"


rule profiling_collect:
    input:
        **{
            name: expand(
                getattr(rules.profiling_session.output, name),
                session=range(len(SESSIONS)),
                device="{device}",
            )
            for name in ("measurements", "samples", "sizes")
        },
    output:
        profiles=f"{RESULTS}/profiling/{{device}}.parquet",
        conditions=f"{RESULTS}/profiling/{{device}}_conditions.parquet",
    log:
        f"{RESULTS}/logs/profiling/{{device}}_collect.log",
    benchmark:
        f"{RESULTS}/runtimes/profiling/{{device}}_collect.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        settings=protocol_settings(),
        code=code("profiling/collect.py"),
    message:
        "Collecting the profiles of {wildcards.device}"
    script:
        "../workflow_scripts/profiling/collect.py"


rule profiling_report:
    input:
        profiles=rules.profiling_collect.output.profiles,
        conditions=rules.profiling_collect.output.conditions,
        measurements=rules.profiling_collect.input.measurements,
    output:
        page=f"{RESULTS}/profiling/{{device}}_report.html",
        flagged=f"{RESULTS}/profiling/{{device}}_flagged.csv",
    log:
        f"{RESULTS}/logs/profiling/{{device}}_report.log",
    benchmark:
        f"{RESULTS}/runtimes/profiling/{{device}}_report.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1500),
        runtime=escalating(10),
    params:
        title=STUDY.report.title,
        code=code("profiling/report.py"),
        template=page_digest(),
    message:
        "Writing the report of the device {wildcards.device} to {output.page}"
    script:
        "../workflow_scripts/profiling/report.py"


rule profiling:
    input:
        expand(rules.profiling_collect.output, device=STUDY.profiling.device),
    message:
        "All architectures are profiled"


rule device_report:
    input:
        expand(rules.profiling_report.output, device=STUDY.profiling.device),
    message:
        "The report of the device is written"
