"""The published claims, each with its place.

Every value was read in the document that ``place`` names. The thesis is E. Demir, "Landscape Analysis for
Multi-Objective Hardware-Aware Neural Architecture Search in Earth Observation Applications", master's thesis, Technical
University of Munich, 2023.
"""

from terranas.report.published.claim import Claim

TOPICS = {
    "space": "Search space and sampling",
    "landscape": "The EO benchmark as a landscape",
    "training": "Training and measuring",
    "surrogates": "Surrogates",
    "searches": "Searches from predicted and from random starts",
}
"""Sections of the page, by topic."""

SIZES = (300, 400, 500, 600, 700, 800, 900, 1000, 2000, 3000, 5000)
"""Training sizes of the published size analysis (thesis, section 4.2.1)."""

SPEARMAN = {
    "validation_micro_accuracy": (0.567, 0.562, 0.587, 0.670, 0.669, 0.668, 0.645, 0.662, 0.755, 0.757, 0.761),
    "training_seconds": (0.587, 0.620, 0.651, 0.705, 0.697, 0.727, 0.764, 0.761, 0.834, 0.870, 0.879),
}
"""Mean Spearman correlations over five seeds by size, of figure 4.5; numbers of the released notebook."""

SPEARMAN_PLACE = "emreds/data-centric-nas, notebooks/model_picking.ipynb (commit 244df8e), averages over five seeds"

_IMAGES = "the So2Sat LCZ42 images (59 GB)"
_GPUS = f"{_IMAGES} and four A100 GPUs"

CLAIMS = (
    Claim(
        "S1",
        "space",
        "thesis, 2.2",
        "NAS-Bench-101 has a number of unique architectures",
        "423,624",
        "cells counted by terranas' own enumeration; nothing is downloaded",
    ),
    Claim(
        "S2",
        "space",
        "EC-NAS-Bench, `energy_4V9E.csv` and `energy_5V9E.csv`",
        "cells of at most 4 and of at most 5 vertices",
        "91 and 2,532",
        "the same enumeration; the hashes in the files are compared with its own",
    ),
    Claim(
        "S3",
        "space",
        "thesis, 3.1.2",
        'starts and walk steps give "450 unique architectures in total"',
        "30 + 14 × 30 = 450, each step at Hamming distance 1",
        "the published walks, each step checked with terranas' 17×17 encoding",
    ),
    Claim(
        "S4",
        "space",
        "thesis, 3.1.2",
        '"The decision to move to the next architecture was made randomly"',
        "a random unvisited neighbour",
        "place of each published step among the neighbours that its walk has not visited, ascending by id",
        slip="The released sampler (emreds/tum-dlr-automl-for-eo, `pairwise_matrix/path_sampler.py`) takes the first "
        "neighbour by id that no walk has picked yet, and before it any neighbour that is already trained. "
        "terranas draws the next cell at random.",
    ),
    Claim(
        "S5",
        "space",
        "thesis, 3.2.2",
        "the predicted front is sought among all architectures",
        "423,624",
        "cells of 7 vertices, in the same enumeration",
        slip="The released neighbourhood (emreds/data-centric-nas, `src/neighborhood.py`, `get_nbhd`) returns nothing "
        "for a cell with fewer than 7 vertices. In terranas only the cell without inner vertices has no neighbour; the "
        "arms `random_published` and `surrogate_published` search as the released code does.",
    ),
    Claim(
        "S6",
        "space",
        "EO benchmark, `num_params` in `test_results_sampled_all_paths.json`",
        "parameters of each trained network",
        "one number a cell",
        "terranas' closed form for 10 bands and 17 classes",
    ),
    Claim(
        "S7",
        "space",
        "EO benchmark, `MACs` in the same file; thesis, 3.1.2",
        "multiply-accumulates of each trained network",
        "one number a cell",
        "terranas' closed form for convolutions and the linear layer",
        slip="The published column holds the number of parameters in millions, to three decimals.",
    ),
    Claim(
        "S8",
        "space",
        "NAS-Bench-101's FLOPs, in the table that ObfuNAS distributes",
        "operations of each network on CIFAR-10",
        "one number a cell",
        "terranas' multiply-accumulates plus two operations for each element that is normalised",
    ),
    Claim(
        "L1",
        "landscape",
        "thesis, table 4.1",
        "average accuracy on So2Sat LCZ42, macro and micro",
        "41.13 % and 58.67 %",
        "mean over the cells in the published files, on test and on validation images",
        slip="The published pair fits the means on the validation images, not those on the test images.",
    ),
    Claim(
        "L2",
        "landscape",
        "thesis, table 4.1",
        "average accuracy on CIFAR-10, macro and micro",
        "89.62 % and 89.62 %",
        "mean test accuracy of NAS-Bench-101 after 108 epochs, one run",
        slip="The thesis does not say which cells, which of three runs, or which split its average is over.",
    ),
    Claim(
        "L3",
        "landscape",
        "thesis, 4.1 on figure 4.2",
        'test accuracy gathers "around 0.5" (macro) and "around 0.6" (micro)',
        "0.5 and 0.6",
        "median and middle half of the published test accuracies",
    ),
    Claim(
        "L4",
        "landscape",
        "thesis, 4.1",
        "micro accuracy is higher than macro accuracy, which the class imbalance explains",
        "higher",
        "Wilcoxon's signed-rank test on the walks' mean test accuracies, Holm over the splits",
    ),
    Claim(
        "L5",
        "landscape",
        "thesis, 4.1 on figure 4.3",
        '"an observable correlation between inference latency and the quantity of MACs"',
        "no number",
        "Spearman's correlation of the published latency with true MACs",
        slip="The figure's MACs are parameters (S7).",
    ),
    Claim(
        "L6",
        "landscape",
        "thesis, 4.1 on figure 4.4",
        '"a high density for ruggedness values between 0 and 5"',
        "no number",
        "share of the walks whose ruggedness (1 / lag-1 autocorrelation of the validation accuracy) lies in 0 to 5",
        slip="The released script puts a walk's start before the walk's entries "
        "(emreds/tum-dlr-automl-for-eo, `scripts_nasbenchmark/analyze_random_walks.py`); the published way counts "
        "each start twice.",
    ),
    Claim(
        "L7",
        "landscape",
        "thesis, 4.1",
        '"the So2Sat LCZ42 landscape presents a significantly more challenging scenario" than CIFAR-10',
        "lower accuracies",
        "both micro test accuracies of the same cells",
    ),
    Claim(
        "L8",
        "landscape",
        "thesis, 4.1 on figure 4.1",
        "class 16 dominates the training images, class 7 the validation and test images",
        "classes 16 and 7",
        needs=_IMAGES,
    ),
    Claim(
        "T1",
        "training",
        "thesis, 3.1.2 and 6.3.1",
        "epochs, and GPUs of each training",
        "108 epochs, 4 GPUs",
        "settings of terranas' recipe `published`, beside the last epoch and step in the published results",
    ),
    Claim(
        "T2",
        "training",
        "emreds/tum-dlr-automl-for-eo, `scripts/training_torchlightning.py`",
        "optimiser of the released code",
        "SGD, learning rate 10e-5, weight decay 5e-4",
        "settings of terranas' recipe `published`",
        slip="The script reads a momentum of 0.9 and never hands it to the optimiser; the recipe has none either.",
    ),
    Claim(
        "T3",
        "training",
        "thesis, 6.3.1",
        "checkpoints",
        '"in every 2 epochs"',
        "default of `campaign.checkpoint_every`",
    ),
    Claim(
        "T4",
        "training",
        "thesis, 6.3.1",
        "four GPUs cut the duration of a training",
        'by "approximately 70%"',
        needs=_GPUS,
    ),
    Claim(
        "T5",
        "training",
        "EO benchmark, `database_pickle_micro.pickle`",
        "accuracies and training times of the cells",
        "one training a cell, 5,036 s to 17,086 s",
        needs=_GPUS,
    ),
    Claim(
        "T6",
        "training",
        "EO benchmark, `avg_inference_time` in `test_results_sampled_all_paths.json`; thesis, 6.3.3",
        "inference latency on an A100",
        "one number a cell, 7.3 ms to 21.9 ms",
        needs="an A100 GPU",
    ),
    Claim(
        "U1",
        "surrogates",
        "thesis, 4.2.1 on figure 4.5",
        'after a training size "the performance starts to being a plateau"',
        "2,000",
        "smallest size from which on Spearman's correlation is at most .02 below that at 5,000 (tests at .05)",
    ),
    Claim(
        "U2",
        "surrogates",
        "thesis, 4.2.1",
        '"surrogate model which predicts the train time has higher performance than the accuracy model"',
        "higher",
        "mean Spearman correlations over five repeats",
    ),
    Claim(
        "U3",
        "surrogates",
        "thesis, 4.2.2",
        "highest Spearman correlation of the accuracy model",
        '"around 0.75"',
        "largest mean Spearman correlation over the sizes",
    ),
    Claim(
        "Q1",
        "searches",
        "thesis, 4.2.2 on figure 4.6",
        "surrogate starts have the lower median best training time; one pair of budgets differs significantly",
        "lower; 1 pair significant",
        "Mann-Whitney tests of the best training time at four pairs of budgets of equal cost",
        slip="The thesis names 500 against 2,000 evaluations. At equal cost 500 stand against 2,500, since the "
        "surrogate's 2,000 training cells count too (thesis, 3.2.4).",
    ),
    Claim(
        "Q2",
        "searches",
        "thesis, 4.2.2 on figure 4.6",
        '"with the increasing solution evaluation limit, the median for both of the PLS is reducing"',
        "both fall",
        "medians of the best training time at the smallest and the largest budget",
    ),
    Claim(
        "Q3",
        "searches",
        "thesis, 4.2.2 on figure 4.7",
        "random starts have the better best validation accuracy, at all pairs of budgets",
        "better; 4 of 4 pairs significant",
        "Mann-Whitney tests of the best validation accuracy",
    ),
    Claim(
        "Q4",
        "searches",
        "thesis, 4.2.2",
        "range of the best validation accuracy",
        "0.935 to 0.955",
        "smallest and largest best accuracy of all runs, predicted ones included",
    ),
    Claim(
        "Q5",
        "searches",
        "thesis, 4.2.2 on figure 4.8",
        "surrogate starts have the higher average Pareto distance, at all pairs of budgets",
        "higher; 4 of 4 pairs significant",
        "Mann-Whitney tests of the mean pairwise distance of the fronts",
        slip="The released code adds a distance to its sum only when it is a new maximum, and divides by the number of "
        "points (emreds/data-centric-nas, `src/metrics.py`, `get_diameter_podist_avg`).",
    ),
)
"""All claims, in the order of the page."""
