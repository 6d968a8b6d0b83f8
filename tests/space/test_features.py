"""Features of cells against networkx and against the table."""

from collections import Counter
from collections.abc import Callable

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from terranas.core.errors import CellError
from terranas.space.cell import OPERATIONS, Cell
from terranas.space.complexity import NetworkShape, vertex_channels
from terranas.space.features import graph_features
from terranas.space.table import cells_table

SHAPE = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=8, stacks=3, cells_per_stack=1)


@given(cell=...)
def test_features_are_what_networkx_finds(cell: Cell, table_of: Callable[[list[Cell]], pd.DataFrame]) -> None:
    pruned = cell.prune()
    graph = nx.from_numpy_array(pruned.adjacency, create_using=nx.DiGraph)
    last = pruned.num_vertices - 1
    lengths = [len(path) - 1 for path in nx.all_simple_paths(graph, 0, last)]
    depths = Counter(max(len(path) for path in nx.all_simple_paths(graph, 0, vertex)) for vertex in range(1, last))
    widths = vertex_channels(pruned.adjacency[None], 8)[0, 1:-1] / 8 if last > 1 else np.ones(1)
    (features,) = graph_features(table_of([pruned]), SHAPE).to_dict("records")
    for name in OPERATIONS:
        assert features.pop(f"num_{name.split('-')[0]}") == pruned.operations.count(name)
    assert 10 ** features.pop("log10_macs") > 1e4
    assert 10 ** features.pop("log10_parameters") > 1e3
    assert features == {
        "num_vertices": pruned.num_vertices,
        "num_edges": pruned.num_edges,
        "longest_path": max(lengths),
        "shortest_path": min(lengths),
        "num_paths": len(lengths),
        "input_degree": graph.out_degree(0),
        "output_degree": graph.in_degree(last),
        "has_skip": graph.has_edge(0, last),
        "width": max(depths.values(), default=1),
        "min_channels": widths.min(),
        "mean_channels": pytest.approx(widths.mean()),
        "max_channels": widths.max(),
    }


def test_features_agree_with_the_table_and_keep_its_order() -> None:
    table = cells_table(5, 9, SHAPE).sample(frac=1, random_state=0)
    features = graph_features(table, SHAPE)
    assert features.index.equals(table.index)
    assert not features.isna().any().any()
    for name in ("num_vertices", "num_edges", "num_conv3x3", "num_conv1x1", "num_maxpool3x3"):
        assert features[name].equals(table[name])
    assert features["longest_path"].tolist() == table["depth"].tolist()
    assert np.rint(10 ** features["log10_macs"]).astype(np.int64).equals(table["macs"])
    assert np.rint(10 ** features["log10_parameters"]).astype(np.int64).equals(table["parameters"])


def test_no_cells_have_no_features() -> None:
    table = cells_table(3, 9, SHAPE)
    assert graph_features(table.iloc[:0], SHAPE).shape == (0, len(graph_features(table, SHAPE).columns))


def test_too_few_channels_are_refused() -> None:
    narrow = NetworkShape(bands=10, classes=17, image_size=32, stem_channels=1, stacks=1, cells_per_stack=1)
    with pytest.raises(CellError, match="2 vertices of a cell share the 1 channels"):
        graph_features(cells_table(4, 9, SHAPE), narrow)
