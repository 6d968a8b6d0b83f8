"""What the checks of an import found."""

from terranas.benchmark.imported import ImportedTable


def failed(result: ImportedTable) -> dict[str, int]:
    """Return how many rows disagree, by the name of each check that was not passed."""
    return {check.name: check.disagreeing for check in result.checks if not check.passed}
