"""The configuration of a study: one tree of models, from which the default file and the JSON schema are generated."""

from terranas.config.load import load_config, read_config, typed
from terranas.config.study import StudyConfig

__all__ = ["StudyConfig", "load_config", "read_config", "typed"]
