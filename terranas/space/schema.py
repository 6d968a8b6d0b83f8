"""Schema of the table of cells."""

from terranas.core.tables import Column, TableSchema

CELLS = TableSchema(
    name="space.cells",
    version=1,
    key=("hash",),
    columns=(
        Column(
            "id",
            "Int64",
            "rank of the hash among all 423,624 cells; null when the table covers a smaller space",
        ),
        Column("hash", "string", "MD5 of the cell as NAS-Bench-101 defines it; rows ascend by it"),
        Column("num_vertices", "int64", "vertices of the cell", ge=2, le=7),
        Column("num_edges", "int64", "edges of the cell", ge=1, le=9),
        Column("adjacency", "string", "upper-triangular adjacency matrix, row-major, one digit 0 or 1 an entry"),
        Column("operations", "string", "operation of each vertex, comma-separated, from input to output"),
        Column("depth", "int64", "edges on the longest path from input to output", ge=1, le=6),
        Column("num_conv3x3", "int64", "vertices that are conv3x3-bn-relu", ge=0, le=5),
        Column("num_conv1x1", "int64", "vertices that are conv1x1-bn-relu", ge=0, le=5),
        Column("num_maxpool3x3", "int64", "vertices that are maxpool3x3", ge=0, le=5),
        Column("parameters", "int64", "trainable parameters of the study's network", direction="minimise", ge=1),
        Column(
            "macs",
            "int64",
            "multiply-accumulates of convolutions and the linear layer for one image; normalisation, pooling, sums and "
            "biases do not count",
            unit="MAC",
            direction="minimise",
            ge=1,
        ),
    ),
)
