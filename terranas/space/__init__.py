"""The NAS-Bench-101 search space: cells, their hashes, complexity, neighbour graphs, encodings and networks.

NAS-Bench-201's stands beside it, as far as searches need it; :mod:`terranas.space.searchable` is what both offer them.
"""
