"""Errors that speak to the user: what was wrong, what was got, what was expected, what to do.

Scripts and the command line print the message of a :class:`TerranasError` without a traceback; every other
exception is a defect of terranas and keeps its traceback.
"""


class TerranasError(Exception):
    """Base of all errors caused by input, configuration or environment rather than by a defect."""


class ConfigError(TerranasError):
    """The configuration of a study is invalid."""


class CellError(TerranasError, ValueError):
    """A graph is no valid cell of the search space."""


class DataError(TerranasError):
    """An image file or array does not have the content it must have."""


class TableError(TerranasError):
    """A table does not follow its schema, or was written by an incompatible version."""


class BudgetError(TerranasError):
    """More evaluations were asked for than a search may spend."""


class EnvironmentLackError(TerranasError):
    """The machine lacks what the step needs: disk space, a device, a permission."""
