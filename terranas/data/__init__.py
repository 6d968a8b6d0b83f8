"""Images: a generator in the So2Sat layout, readers of published layouts, and preparation for training."""

NUMERICS_VERSION = 2
"""Raised by hand when prepared arrays change for the same input; only then are data prepared anew."""
