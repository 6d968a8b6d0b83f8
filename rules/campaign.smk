"""campaign: where the trainings of the study stand, as a page and as a table.

in: whatever the trainings have left so far. out: <results>/campaign/*.

The rule has no outputs in Snakemake's sense, so that it runs whenever it is asked for. While another snakemake runs here
it takes `snakemake campaign_report --nolock`, as `terranas campaign report` calls it: any snakemake that locks removes
all locks of the folder when it ends.
"""


localrules:
    campaign_report,


rule campaign_report:
    log:
        f"{RESULTS}/logs/campaign/report.log",
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        study=STUDY.model_dump(mode="json"),
        expected=expected_of_all,
        disk_bytes=lambda wildcards: estimate_disk_use(STUDY),
        folder=f"{RESULTS}/campaign",
    message:
        "Writing where the trainings stand to {params.folder}/index.html"
    script:
        "../workflow_scripts/training/campaign_report.py"
