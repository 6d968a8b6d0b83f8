"""Schemas of the data stage's tables."""

from terranas.core.tables import Column, TableSchema
from terranas.data.layout import SPLITS

__all__ = ["BAND_STATISTICS", "CLASS_COUNTS", "SPLITS"]

BAND_STATISTICS = TableSchema(
    name="data.band_statistics",
    version=1,
    key=("split", "band"),
    columns=(
        Column("source", "string", "where the images come from: synthetic, so2sat, npz, folder or own"),
        Column("split", "string", "part of the data", isin=SPLITS),
        Column("band", "int64", "index of the band", ge=0),
        Column("mean", "float64", "mean over all pixels"),
        Column("std", "float64", "population standard deviation over all pixels", ge=0),
        Column("min", "float64", "smallest value"),
        Column("max", "float64", "largest value"),
    ),
)

CLASS_COUNTS = TableSchema(
    name="data.class_counts",
    version=1,
    key=("split", "class_index"),
    columns=(
        Column("source", "string", "where the images come from: synthetic, so2sat, npz, folder or own"),
        Column("split", "string", "part of the data", isin=SPLITS),
        Column("class_index", "int64", "index of the class, from 0", ge=0),
        Column("class_name", "string", "name of the class"),
        Column("count", "int64", "number of images", ge=0),
    ),
)
