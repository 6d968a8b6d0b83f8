"""Multi-objective local search on a tabular benchmark."""
