"""The baselines that searches are compared with, by name."""

from collections.abc import Mapping

from terranas.search.campaign import Method
from terranas.search.nsga2 import nsga2
from terranas.search.random_search import random_search
from terranas.search.regularised_evolution import regularised_evolution, regularised_evolution_ranked
from terranas.search.surrogate_assisted import surrogate_assisted

METHODS: Mapping[str, Method] = {
    "random_search": random_search,
    "nsga2": nsga2,
    "regularised_evolution": regularised_evolution,
    "regularised_evolution_ranked": regularised_evolution_ranked,
    "surrogate_assisted": surrogate_assisted,
}
