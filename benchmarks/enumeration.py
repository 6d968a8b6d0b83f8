"""Enumerating the search space: growth with the number of vertices, beside plain Python.

    python benchmarks/enumeration.py [--reference-vertices 6]

The plain reference walks the same labelled graphs in the same order and tells isomorphic ones by their MD5, as the
published script does; with 7 vertices it takes minutes.
"""

import plain
from measure import measured, parser_of, seconds, show

from terranas.space.enumeration import enumerate_cells


def cells_up_to(vertices: int) -> int:
    """Return how many cells there are."""
    return len(enumerate_cells(vertices))


def plain_cells_up_to(vertices: int) -> int:
    """Return how many cells there are, by the reference."""
    return len(plain.enumerate_cells(vertices))


def main() -> None:
    """Print the growth and the ratios."""
    parser = parser_of(__doc__)
    parser.add_argument("--reference-vertices", type=int, default=6, help="largest number for the reference")
    options = parser.parse_args()
    compiling = measured(cells_up_to, 3, runs=1, fresh_compilation=True)
    rows = []
    for vertices in range(2, 8):
        ours = measured(cells_up_to, vertices)
        row = [str(vertices), f"{ours.result:,}", seconds(ours.seconds), f"{ours.megabytes:.0f}"]
        if vertices <= options.reference_vertices:
            reference = measured(plain_cells_up_to, vertices, runs=1)
            assert reference.result == ours.result
            row += [seconds(reference.seconds), f"{reference.megabytes:.0f}", f"{reference.seconds / ours.seconds:.0f}"]
        else:
            row += ["not run", "", ""]
        rows.append(row)
    show(["vertices", "cells", "ours", "MiB", "plain", "MiB", "ratio"], rows, options.json)
    print(f"Compilation, once a machine and not in the times above: {seconds(compiling.seconds)}.")


if __name__ == "__main__":
    main()
