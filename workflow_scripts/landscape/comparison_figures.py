"""Draw all analysed landscapes together: footprints, autocorrelations, objectives, correlations, conclusions."""

from typing import Any

import pandas as pd

from terranas.core.script import run_script
from terranas.core.tables import read_attributes, read_table
from terranas.landscape.correlation_figures import conclusions, conclusions_words, correlations, correlations_words
from terranas.landscape.figures import LandscapeName
from terranas.landscape.footprint_figure import footprint_radar, footprint_words
from terranas.landscape.graph_figures import (
    autocorrelation_function,
    autocorrelation_words,
    objective_landscape,
    objective_landscape_words,
)
from terranas.landscape.graph_schema import AUTOCORRELATION, GRAPH_MEASURES
from terranas.landscape.saving import save_figures
from terranas.landscape.schema import CONCLUSIONS, CORRELATIONS, FOOTPRINT


def main(snakemake: Any) -> None:
    paths = snakemake.input
    footprints = pd.concat([read_table(path, FOOTPRINT) for path in paths.footprints], ignore_index=True)
    functions, measures = {}, {}
    for neighbourhood, function, measure in zip(
        snakemake.params.neighbourhoods, paths.autocorrelations, paths.measures, strict=True
    ):
        facts = read_attributes(function)
        table = read_table(function, AUTOCORRELATION)
        if len(table):  # no walk leads anywhere where no cell has a neighbour
            functions[LandscapeName(facts["dataset"], facts["fitness"], neighbourhood)] = table
        measures[f"{facts['dataset']}, {neighbourhood}"] = read_table(measure, GRAPH_MEASURES)
    related, judged = read_table(paths.correlations, CORRELATIONS), read_table(paths.conclusions, CONCLUSIONS)
    figures = {
        "footprint": (footprint_radar(footprints), footprint_words(footprints)),
        "autocorrelation": (autocorrelation_function(functions), autocorrelation_words(functions)),
        "objectives": (objective_landscape(measures), objective_landscape_words(measures)),
        "correlations": (correlations(related), correlations_words(related)),
        "conclusions": (conclusions(judged), conclusions_words(judged)),
    }
    save_figures(figures, dict(snakemake.output.items()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
