"""The arms of a study: their names, what they search, and which of them need a surrogate's training sample.

Parsing the workflow imports this module, so it imports nothing.
"""

ARM_NAMES = {
    "surrogate": "surrogate starts",
    "surrogate_spread": "spread surrogate starts",
    "sample": "starts from the training sample",
    "random": "random starts",
    "latin": "space-filling starts",
    "restarts": "local search with restarts",
    "surrogate_published": "surrogate starts, published way",
    "random_published": "random starts, published way",
    "random_search": "random search",
    "nsga2": "NSGA-II",
    "regularised_evolution": "regularised evolution",
    "regularised_evolution_ranked": "regularised evolution, multi-objective",
    "surrogate_assisted": "surrogate-assisted search",
}
"""Words for figures and tables, one name an arm."""

ARMS = tuple(ARM_NAMES)
"""What is compared: a search together with how its first architectures are chosen."""

CHARGED = frozenset({"surrogate", "surrogate_spread", "sample", "surrogate_published"})
"""Arms that need the training sample of a surrogate, whose evaluations are charged to them."""

LOCAL_SEARCH = "pareto_local_search"
RESTARTED = "restarted_local_search"
PUBLISHED = "published_search"
QUEUED = frozenset({LOCAL_SEARCH, RESTARTED, PUBLISHED})
"""Searches that keep architectures waiting until their neighbourhood is looked at."""

METHOD_OF = {
    "surrogate": LOCAL_SEARCH,
    "surrogate_spread": LOCAL_SEARCH,
    "sample": LOCAL_SEARCH,
    "random": LOCAL_SEARCH,
    "latin": LOCAL_SEARCH,
    "restarts": RESTARTED,
    "surrogate_published": PUBLISHED,
    "random_published": PUBLISHED,
    "random_search": "random_search",
    "nsga2": "nsga2",
    "regularised_evolution": "regularised_evolution",
    "regularised_evolution_ranked": "regularised_evolution_ranked",
    "surrogate_assisted": "surrogate_assisted",
}
"""The search that each arm runs."""
