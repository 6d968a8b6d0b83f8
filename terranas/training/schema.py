"""Schema of the per-epoch table of one training."""

from terranas.core.tables import Column, TableSchema

EPOCHS = TableSchema(
    name="training.epochs",
    version=1,
    key=("hash", "epoch"),
    columns=(
        Column("hash", "string", "architecture"),
        Column("source", "string", "where the images come from: synthetic, so2sat or npz"),
        Column("epoch", "int64", "index of the epoch, from 1", ge=1),
        Column("train_loss", "float64", "mean cross-entropy over the training images as they were trained on"),
        Column("validation_loss", "float64", "mean cross-entropy over the validation images", ge=0),
        Column("train_macro_accuracy", "float64", "mean of the class accuracies while training", ge=0, le=1),
        Column("train_micro_accuracy", "float64", "share of correct training images while training", ge=0, le=1),
        Column("validation_macro_accuracy", "float64", "mean of the class accuracies", ge=0, le=1),
        Column("validation_micro_accuracy", "float64", "share of correct images", ge=0, le=1),
        Column("learning_rate", "float64", "learning rate of the last step of the epoch", ge=0),
        Column("training_seconds", "float64", "time of the epoch's training part", unit="s", measured=True, ge=0),
        Column("validation_seconds", "float64", "time of the epoch's validation", unit="s", measured=True, ge=0),
        Column("images_per_second", "float64", "training images a second, all processes", measured=True, ge=0),
    ),
)
