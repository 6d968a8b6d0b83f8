"""The stages of a study, by the one name each has as rule, folder of scripts, folder of the library and of results."""

STAGES = (
    "space",
    "data",
    "sampling",
    "training",
    "profiling",
    "benchmark",
    "landscape",
    "surrogates",
    "search",
    "comparison",
    "report",
)
"""In the order the data flow."""
