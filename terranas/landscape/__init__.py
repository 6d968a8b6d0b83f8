"""Analysis of a tabular benchmark as a fitness landscape."""
