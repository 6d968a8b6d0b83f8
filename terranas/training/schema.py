"""Schemas of the tables that a training writes."""

from terranas.core.tables import Column, TableSchema
from terranas.data.layout import SPLITS

_HASH = Column("hash", "string", "architecture")
_SOURCE = Column("source", "string", "where the images come from, as the setting data.source names it")

EPOCHS = TableSchema(
    name="training.epochs",
    version=2,
    key=("hash", "epoch"),
    columns=(
        _HASH,
        _SOURCE,
        Column("epoch", "int64", "index of the epoch, from 1", ge=1),
        Column("train_loss", "float64", "mean cross-entropy over the training images as they were trained on", ge=0),
        Column("validation_loss", "float64", "mean cross-entropy over the validation images", ge=0),
        Column("train_macro_accuracy", "float64", "mean of the class accuracies while training", ge=0, le=1),
        Column("train_micro_accuracy", "float64", "share of correct training images while training", ge=0, le=1),
        Column("train_kappa", "float64", "Cohen's kappa while training", ge=-1, le=1),
        Column("validation_macro_accuracy", "float64", "mean of the class accuracies", ge=0, le=1),
        Column("validation_micro_accuracy", "float64", "share of correct images", ge=0, le=1),
        Column("validation_kappa", "float64", "Cohen's kappa", ge=-1, le=1),
        Column("learning_rate", "float64", "learning rate of the last step of the epoch", ge=0),
        Column(
            "gradient_norm",
            "float64",
            "mean over the steps of the Euclidean norm of the whole gradient, before weight decay",
            ge=0,
        ),
        Column("micro_batch", "int64", "most images of a process that went through the network at once", ge=1),
        Column("training_seconds", "float64", "time of the epoch's training part", unit="s", measured=True, ge=0),
        Column("validation_seconds", "float64", "time of the epoch's validation", unit="s", measured=True, ge=0),
        Column("images_per_second", "float64", "training images a second, all processes", measured=True, ge=0),
        Column(
            "peak_memory_mb",
            "float64",
            "most memory that a process took up to then: of the GPU where it trained on one, else of the machine",
            unit="MB (10^6 bytes)",
            measured=True,
            ge=0,
        ),
    ),
)

CLASS_ACCURACIES = TableSchema(
    name="training.class_accuracies",
    version=1,
    key=("hash", "epoch", "split", "class_index"),
    columns=(
        _HASH,
        _SOURCE,
        Column("epoch", "int64", "epoch after (train: in) which it was counted; test: the last and the best", ge=1),
        Column("split", "string", "part of the data", isin=SPLITS),
        Column("class_index", "int64", "index of the class, from 0", ge=0),
        Column("images", "int64", "images of the class", ge=0),
        Column("correct", "int64", "those of them that were told rightly", ge=0),
    ),
)

CONFUSIONS = TableSchema(
    name="training.confusions",
    version=1,
    key=("hash", "network", "split", "true_class", "predicted_class"),
    columns=(
        _HASH,
        _SOURCE,
        Column("network", "string", "network of the best or of the last epoch", isin=("best", "last")),
        Column("split", "string", "part of the data", isin=("validation", "test")),
        Column("true_class", "int64", "index of the images' class", ge=0),
        Column("predicted_class", "int64", "index of the class that the network gave", ge=0),
        Column("images", "int64", "number of images", ge=0),
    ),
)
