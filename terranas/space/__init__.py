"""The NAS-Bench-101 search space: cells, their hashes, complexity, neighbour graphs, encodings and networks."""
