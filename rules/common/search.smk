"""What the rules on the searched benchmark share. No rule stands here."""

from terranas.config.searching import OTHER_SPACES
from terranas.search.arms import CHARGED

ARMS = STUDY.search.arms
PAIRS = STUDY.comparison.pairs
# the figures of one pair show the first one
PAIR = PAIRS[0]
COMPARISON_FIGURES = {
    "violins": "Indicators of two arms",
    "all_arms": "Indicators of all arms",
    "fronts": "Fronts found",
    "anytime": "Hypervolume over evaluations",
    "anytime_arms": "Hypervolume regret of each arm",
    "attainment": "Attainment surfaces",
    "effects": "Effect sizes",
    "rank_diagram": "Ranks of the arms",
    "walk": "A search in architecture space",
    "front_cells": "Architectures of the front",
}


def searched(path):
    """Return a path below the results folder with the searched benchmark's name filled in."""
    return f"{RESULTS}/{path}".replace("{benchmark}", STUDY.search.benchmark)


def searched_space(wildcards):
    """Return the table of cells, or nothing where another space than the study's is searched: its cells are computed."""
    return {} if STUDY.search.benchmark in OTHER_SPACES else {"cells": str(rules.space_cells.output.cells)}


def searched_graph(wildcards):
    """Return the table of cells and the graph that searches move on; see :func:`searched_space`."""
    if not (cells := searched_space(wildcards)):
        return {}
    made = rules.space_neighbours.output
    files = {"indptr": made.indptr, "indices": made.indices, "graph": made.summary}
    return cells | {name: path.format(neighbourhood=STUDY.search.neighbourhood) for name, path in files.items()}


# evaluations that each arm may spend, ascending
BUDGETS = {
    arm: STUDY.search.budgets.surrogate if arm in CHARGED else STUDY.search.budgets.random for arm in STUDY.search.arms
}


def arm_budgets(wildcards):
    """Return the evaluation budgets of an arm, ascending."""
    return BUDGETS[wildcards.arm]


def arm_inputs(wildcards):
    """Return what an arm needs besides the benchmark: what the surrogates predicted, where it begins with that."""
    below = f"{RESULTS}/surrogates/{wildcards.benchmark}"
    found = {}
    if wildcards.arm in CHARGED:
        found |= {"predicted": f"{below}/predicted_fronts.parquet", "samples": f"{below}/training_samples.parquet"}
    if STUDY.search.unknown == "predict":
        found["filled"] = f"{below}/benchmark.parquet"
    return found


def arm_settings(wildcards):
    """Return the settings of the search that an arm depends on."""
    chosen = settings("search", "starts", "seeds", "local_search") | {"seed": STUDY.seed}
    return chosen | ({"training_sample": STUDY.surrogates.training_sample} if wildcards.arm in CHARGED else {})


def regressor_settings():
    """Return the settings of the surrogates' regressor; another space has an encoding of its own."""
    chosen = settings("surrogates", "regressor", "parameters", "encoding", "log_targets")
    return chosen | ({"encoding": "one_hot"} if STUDY.search.benchmark in OTHER_SPACES else {})


def searched_objectives():
    """Return the objectives and the images they belong to."""
    return settings("search", "objectives", "dataset")


def search_study():
    """Return what pages on the searches tell of them, besides their tables."""
    chosen = settings("search", "objectives", "unknown") | settings("comparison", "pairs")
    return chosen | settings("surrogates", "training_sample")


def comparison_tables(*names):
    """Return tables of the comparison by name, as parquet and, for people, as CSV (in Snakemake's report)."""
    files = {}
    for name in names:
        stem = f"{RESULTS}/comparison/{{benchmark}}/{name}"
        labels = {"content": name.replace("_", " ").capitalize(), "kind": "table"}
        table = report(f"{stem}.csv", caption=f"captions/comparison_{name}.rst", category="Comparison", labels=labels)
        files |= {name: f"{stem}.parquet", f"{name}_csv": table}
    return files


def comparison_figures(group, *names):
    """Return the output files of figures by name and format, and what is said of them."""
    files = {"words": f"{RESULTS}/comparison/{{benchmark}}/{group}_words.json"}
    for name in names:
        made = figure_report(
            f"comparison/{{benchmark}}/{name}", f"captions/{name}.rst", "Comparison", COMPARISON_FIGURES[name]
        )
        files |= {f"{name}_{kind}": path for kind, path in made.items()}
    return files
