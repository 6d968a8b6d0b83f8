"""Measuring what an architecture costs on a device."""

NUMERICS_VERSION = 2
"""Raised by hand when the measuring protocol changes; only then are finished measurements repeated."""
