"""The sessions that measure architectures. No rule stands here."""

from terranas.core.randomness import generator
from terranas.profiling import NUMERICS_VERSION as PROFILING_NUMERICS
from terranas.profiling.expectation import expected_megabytes, expected_minutes
from terranas.profiling.precheck import check_backend

try:
    check_backend(STUDY.profiling)
except TerranasError as error:
    sys.exit(f"terranas: {error}")


def sessions():
    """Return the architectures of each profiling session; every architecture is in `profiling.sessions` of them.

    Each time all architectures come in another random order.
    """
    size, made = STUDY.profiling.session_size, []
    for repetition in range(STUDY.profiling.sessions):
        order = generator(STUDY.seed, "profiling.order", repetition).permutation(sorted(ARCHITECTURES)).tolist()
        made += [order[start : start + size] for start in range(0, len(order), size)]
    return made


SESSIONS = sessions()
# sessions of the first repetition: enough to read the energy once an architecture
FIRST_SESSIONS = len(SESSIONS) // STUDY.profiling.sessions


def session_members(wildcards):
    """Return hash, adjacency and operations of a profiling session's architectures, in the order they are measured."""
    return [member_of(member, "hash", "adjacency", "operations") for member in SESSIONS[int(wildcards.session)]]


def session_weights(wildcards):
    """Return the files of trained weights that a session needs, in the order of its architectures."""
    if STUDY.profiling.weights == "drawn":
        return []
    return expand(rules.training_train.output.best_weights, hash=SESSIONS[int(wildcards.session)])


def protocol_settings():
    """Return the settings of the measuring protocol: all but what is measured where."""
    chosen = settings("profiling")
    for name in ("device", "device_name", "session_size", "backend"):
        chosen.pop(name)
    return chosen


def session_settings(wildcards):
    """Return the settings that decide what a session measures: the protocol's and the content of an own backend."""
    chosen, backend = protocol_settings(), STUDY.profiling.backend
    # how many sessions there are, and how their agreement is judged, changes no session
    for name in ("sessions", "variation_goal"):
        chosen.pop(name)
    if int(wildcards.session) >= FIRST_SESSIONS:
        chosen["energy_seconds"] = 0.0
    return chosen | {"backend_content": sha256_file(backend) if backend else None}


def session_minutes(wildcards, attempt):
    """Return the minutes that a session is given."""
    members = session_members(wildcards)
    return attempt * expected_minutes(members, settings("network") | image_shape(), settings("profiling"))


def session_megabytes(wildcards, attempt):
    """Return the memory that a session is given, in MB."""
    members = session_members(wildcards)
    return attempt * expected_megabytes(members, settings("network") | image_shape(), settings("profiling"))
