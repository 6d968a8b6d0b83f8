"""NSGA-II (Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", 2002) by pymoo."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.algorithms.moo.nsga2 import NSGA2, binary_tournament
from pymoo.core.crossover import Crossover
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mating import Mating
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.selection.tournament import TournamentSelection

from terranas.search.candidates import Candidates
from terranas.search.driver import Search
from terranas.space.neighbours import NeighbourGraph
from terranas.space.searchable import SearchableSpace

_MATINGS = 10


def nsga2(
    space: SearchableSpace,
    _graph: NeighbourGraph,
    available: NDArray[np.int64],
    objectives: int,
    rng: np.random.Generator,
    *,
    population: int = 100,
    crossover: float = 0.9,
    mutation: float = 0.2,
) -> Search:
    """Search by NSGA-II, whose selection and survival are pymoo's, with the space's own crossover and mutation.

    Children that were evaluated before are dropped, since survival has judged them already, and parents mate again, ten
    times at most for a generation, which is smaller then. Where that gives no child at all, the generation is random.

    Args:
        space: the search space.
        available: rows that can be evaluated, different ones.
        objectives: number of objectives.
        rng: source of all draws; pymoo's generator is seeded from it.
        population: members of the population, and children of a generation; the first members are random.
        crossover: probability that parents are crossed.
        mutation: probability that a child is mutated.
    """
    candidates = Candidates(space, available, rng)
    members = Population.empty()
    while len(members) < population and len(candidates):
        batch = candidates.draw(population - len(members))
        members = Population.merge(members, _known(batch, (yield batch)))
    if not len(candidates):
        return
    algorithm = NSGA2(
        pop_size=population,
        sampling=members,
        mating=Mating(
            TournamentSelection(binary_tournament),
            _SpaceCrossover(space, crossover),
            _SpaceMutation(space, mutation),
            eliminate_duplicates=_OnlyNew(candidates),
            n_max_iterations=_MATINGS,
        ),
        eliminate_duplicates=False,
    )
    problem = Problem(n_var=1, n_obj=objectives)
    algorithm.setup(problem, seed=int(rng.integers(2**63)), termination=NoTermination())
    algorithm.tell(infills=algorithm.ask())
    while len(candidates):
        children = algorithm.ask()
        if children is None:
            batch = candidates.draw(population)
        else:
            batch = children.get("X")[:, 0]
            candidates.take(batch)
        known = _known(batch, (yield batch))
        if len(known):
            algorithm.tell(infills=known)


def _known(rows: NDArray[np.int64], values: NDArray[np.float64]) -> Any:
    """Return the rows with values as pymoo's individuals."""
    known = np.isfinite(values).all(axis=1)
    return Population.new("X", rows[known, None], "F", values[known])


class _SpaceCrossover(Crossover):  # type: ignore[misc]
    """Two children of two parents."""

    def __init__(self, space: SearchableSpace, probability: float) -> None:
        super().__init__(n_parents=2, n_offsprings=2, prob=probability)
        self._space = space

    def _do(self, _problem: Problem, parents: NDArray[Any], *_: Any, random_state: Any, **_named: Any) -> NDArray[Any]:
        pairs = parents[:, :, 0].T.tolist()
        children = [[self._space.crossover(first, second, random_state) for first, second in pairs] for _ in range(2)]
        return np.array(children)[:, :, None]


class _SpaceMutation(Mutation):  # type: ignore[misc]
    """Mutants of some individuals."""

    def __init__(self, space: SearchableSpace, probability: float) -> None:
        # pymoo would mutate all and keep some
        super().__init__(prob=1.0)
        self._space = space
        self._probability = probability

    def _do(self, _problem: Problem, rows: NDArray[Any], *_: Any, random_state: Any, **_named: Any) -> NDArray[Any]:
        mutated = rows.copy()
        for place in np.flatnonzero(random_state.random(len(rows)) < self._probability).tolist():
            mutated[place, 0] = self._space.mutate(int(rows[place, 0]), random_state)
        return mutated


class _OnlyNew(DuplicateElimination):  # type: ignore[misc]
    """Keeps children that can still be asked for, each once."""

    def __init__(self, candidates: Candidates) -> None:
        super().__init__()
        self._candidates = candidates

    def do(self, children: Any, _parents: Any, earlier: Any, **_named: Any) -> Any:
        """Return the children to keep; ``earlier`` are those of the same generation that are kept already."""
        if not len(children):
            return children
        rows = children.get("X")[:, 0]
        kept = self._candidates.are_open(rows)
        if len(earlier):
            kept &= ~np.isin(rows, earlier.get("X")[:, 0])
        firsts = np.unique(rows, return_index=True)[1]
        return children[np.intersect1d(firsts, np.flatnonzero(kept))]
