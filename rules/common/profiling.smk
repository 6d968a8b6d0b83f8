"""The sessions that measure architectures. No rule stands here."""

from terranas.core.randomness import generator
from terranas.profiling import NUMERICS_VERSION as PROFILING_NUMERICS


def sessions():
    """Return the architectures of each profiling session, in random order."""
    order = generator(STUDY.seed, "profiling.order").permutation(sorted(ARCHITECTURES)).tolist()
    size = STUDY.profiling.session_size
    return [order[start : start + size] for start in range(0, len(order), size)]


SESSIONS = sessions()


def session_members(wildcards):
    """Return hash, adjacency and operations of a profiling session's architectures, in the order they are measured."""
    return [member_of(member, "hash", "adjacency", "operations") for member in SESSIONS[int(wildcards.session)]]
