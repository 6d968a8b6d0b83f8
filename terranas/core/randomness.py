"""Random generators derived from the study's seed, a purpose and an index.

Streams of different purposes or indices are independent, and a stream does not change when another purpose is added,
when the order of the work changes or when it is spread over more processes.
"""

import hashlib

import numpy as np


def derive_seed(seed: int, purpose: str, *index: int | str) -> int:
    """Return a 63-bit seed that depends on all arguments (for libraries that take an integer)."""
    text = "\x1f".join([str(seed), purpose, *map(str, index)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, purpose: str, *index: int | str) -> np.random.Generator:
    """Return the generator (PCG64) of a purpose, such as ``generator(study_seed, "sampling.walks", walk)``."""
    return np.random.Generator(np.random.PCG64(derive_seed(seed, purpose, *index)))
