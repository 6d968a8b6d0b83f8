"""Training one architecture: loop, data-parallel processes, checkpoints and outcomes."""

NUMERICS_VERSION = 2
"""Raised by hand when training gives other numbers for the same input; only then are finished trainings redone."""
