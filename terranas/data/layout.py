"""Names of the splits; names and sizes of the So2Sat LCZ42 layout (Zhu et al. 2020, 10.1109/MGRS.2020.2964708)."""

SPLITS = ("train", "validation", "test")
"""Parts of every data set."""

SO2SAT_FILES = {"train": "training.h5", "validation": "validation.h5", "test": "testing.h5"}
"""File of each split."""

SO2SAT_SENSORS = {"sen1": ("sen1",), "sen2": ("sen2",), "both": ("sen1", "sen2")}
"""Datasets of a file that make up the bands of an image, by the setting ``data.sensors``."""

SO2SAT_SENSOR_BANDS = {"sen1": 8, "sen2": 10}
"""Bands of each dataset."""

SO2SAT_IMAGE_SIZE = 32
"""Height and width of an image in pixels."""

LCZ_NAMES = (
    "LCZ 1 compact high-rise",
    "LCZ 2 compact mid-rise",
    "LCZ 3 compact low-rise",
    "LCZ 4 open high-rise",
    "LCZ 5 open mid-rise",
    "LCZ 6 open low-rise",
    "LCZ 7 lightweight low-rise",
    "LCZ 8 large low-rise",
    "LCZ 9 sparsely built",
    "LCZ 10 heavy industry",
    "LCZ A dense trees",
    "LCZ B scattered trees",
    "LCZ C bush, scrub",
    "LCZ D low plants",
    "LCZ E bare rock or paved",
    "LCZ F bare soil or sand",
    "LCZ G water",
)
"""The 17 local climate zones in the order of the labels (Stewart and Oke 2012)."""

SO2SAT_IMAGE_BYTES = 8 * (sum(SO2SAT_SENSOR_BANDS.values()) * SO2SAT_IMAGE_SIZE**2 + len(LCZ_NAMES))
"""Bytes of one image with its label: both sensors and a one-hot label, all float64."""

RANDOM_SHARES = {"train": 0.8, "validation": 0.2}
"""Shares of the training file's images, by class, with ``data.split: random``."""

FOLDER_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
"""Endings of image files in a folder of images a class, in small letters."""
