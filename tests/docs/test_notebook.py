"""The notebook, executed on the smallest study's table."""

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.docs


def test_it_plots_a_front_and_draws_its_cells_in_ten_lines(checkout, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(checkout.folder))
    notebook = nbformat.read(checkout.folder / "docs" / "notebook.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs for cell in code), "outputs are not kept in the repository"
    lines = [line for cell in code for line in cell.source.splitlines() if line and "import" not in line]
    assert len(lines) <= 10
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": checkout.folder / "docs"}}).execute()
    outputs = [output for cell in code for output in cell.outputs if "data" in output]
    assert sum("image/png" in output["data"] for output in outputs) == 1
    assert sum("image/svg+xml" in output["data"] for output in outputs) >= 1
