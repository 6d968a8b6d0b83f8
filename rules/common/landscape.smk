"""What the rules of the landscape share. No rule stands here."""

LANDSCAPE = settings("landscape")
GRAPH_TABLES = (
    "optima",
    "components",
    "autocorrelation",
    "network",
    "nodes",
    "edges",
    "objectives",
    "pareto_optima",
    "hypervolume",
    "measures",
)


def walks_over(name):
    """Return the walks over a benchmark's architectures: the published ones of the EO benchmark, else the study's."""
    return f"{RESULTS}/benchmark/eo_hwnas_walks.parquet" if name == "eo_hwnas" else f"{RESULTS}/sampling/walks.parquet"


def walks_of(wildcards):
    """Return the walks over the architectures of the benchmark of a job."""
    return walks_over(wildcards.benchmark)


def footprint_measures(wildcards):
    """Return the measures on the neighbour graph that counts the optima of the footprint."""
    return f"{RESULTS}/landscape/{wildcards.benchmark}/{LANDSCAPE['neighbourhoods'][0]}/measures.parquet"


def landscape_figures(folder, **contents):
    """Return the output files of figures by name and format; their PNGs go into Snakemake's report."""
    files = {}
    for name, content in contents.items():
        made = figure_report(f"landscape/{folder}{name}", f"captions/{name}.rst", "Landscape", content)
        files |= {f"{name}_{kind}": path for kind, path in made.items()}
    return files


# tables of each analysis on a graph, in the order of the benchmarks
GRAPH_ANALYSES = [
    f"{RESULTS}/landscape/{name}/{neighbourhood}/{{table}}.parquet"
    for name in LANDSCAPE["benchmarks"]
    for neighbourhood in LANDSCAPE["neighbourhoods"]
]
# tables of each benchmark
LANDSCAPE_TABLES = [
    f"{RESULTS}/landscape/{name}/{table}"
    for name in LANDSCAPE["benchmarks"]
    for table in ("accuracy_summary.csv", "ruggedness.parquet", "footprint.parquet", "feature_correlations.parquet")
] + [path.format(table="measures") for path in GRAPH_ANALYSES]
# what is said of the figures of the page, in its order, and the section each belongs to
LANDSCAPE_FIGURES = [(f"{RESULTS}/landscape/comparison_words.json", "comparison")]
for _name in LANDSCAPE["benchmarks"]:
    _folder = f"{RESULTS}/landscape/{_name}"
    LANDSCAPE_FIGURES += [(f"{_folder}/{part}_words.json", f"{_name} {part}") for part in ("accuracy", "walk")]
    LANDSCAPE_FIGURES += [
        (f"{_folder}/{neighbourhood}/graph_words.json", f"{_name} graph {neighbourhood}")
        for neighbourhood in LANDSCAPE["neighbourhoods"]
    ]
    LANDSCAPE_FIGURES += [(f"{_folder}/feature_words.json", f"{_name} feature")]
if "study" in LANDSCAPE["benchmarks"]:  # published tables alone need no training
    LANDSCAPE_FIGURES += [(f"{RESULTS}/landscape/study/imbalance_words.json", "imbalance")]
# tables that the page shows, by section
LANDSCAPE_SHOWN = {
    "comparison": {
        "conclusions": f"{RESULTS}/landscape/conclusions.parquet",
        "correlations": f"{RESULTS}/landscape/correlations.parquet",
    }
}
for _name in LANDSCAPE["benchmarks"]:
    LANDSCAPE_SHOWN[_name] = {
        "accuracies": f"{RESULTS}/landscape/{_name}/accuracy_summary.csv",
        "footprint": f"{RESULTS}/landscape/{_name}/footprint.parquet",
        "ruggedness": f"{RESULTS}/landscape/{_name}/ruggedness_summary.parquet",
    } | {
        f"{table} {neighbourhood}": f"{RESULTS}/landscape/{_name}/{neighbourhood}/{table}.parquet"
        for neighbourhood in LANDSCAPE["neighbourhoods"]
        for table in ("measures", "objectives")
    }
