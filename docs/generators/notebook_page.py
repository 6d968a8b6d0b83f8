"""The notebook as a page: its words and its code."""

import json
from pathlib import Path

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebook.ipynb"


def notebook_page() -> str:
    """Return the notebook in Markdown; the repository keeps no outputs, so the page has none."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    texts = ("".join(cell["source"]) for cell in cells)
    parts = [
        text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```"
        for cell, text in zip(cells, texts, strict=True)
    ]
    return "\n\n".join([*parts, "[The file](../notebook.ipynb) opens in any Jupyter; the tests execute it."]) + "\n"
