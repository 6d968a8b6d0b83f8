"""Tabular benchmarks: the study's own results and published tables in one schema."""
