"""Schema of the table of walks."""

from terranas.core.tables import Column, TableSchema

WALKS = TableSchema(
    name="sampling.walks",
    version=1,
    key=("walk", "step"),
    columns=(
        Column("walk", "int64", "index of the walk, from 0", ge=0),
        Column("step", "int64", "index of the step; 0 is the start", ge=0),
        Column(
            "redraws",
            "int64",
            "how often the whole walk was drawn again because it got stuck or began at a cell visited before",
            ge=0,
        ),
        Column("hash", "string", "cell visited"),
        Column("id", "Int64", "rank of the hash among all cells; null when the space is smaller"),
    ),
)
