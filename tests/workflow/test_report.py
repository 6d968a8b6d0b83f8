"""The report of the real workflow: one folder that holds together, and that Snakemake's own report carries."""

import json
import re
import zipfile
from html.parser import HTMLParser

import pytest

from terranas.core.records import read_record

pytestmark = pytest.mark.workflow


class Addresses(HTMLParser):
    """Addresses that a page names."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, _, attributes):
        self.found += [value for name, value in attributes if name in ("href", "src")]


def test_every_link_leads_to_a_file_of_the_folder(finished):
    folder = finished.results / "report"
    pages = sorted(path.name for path in folder.glob("*.html"))
    assert {"index.html", "landscape.html", "explorer-study.html", "player.html", "runs.html"} <= set(pages)
    for name in pages:
        named = Addresses((folder / name).read_text(encoding="utf-8")).found
        assert set(pages) <= {address.partition("#")[0] for address in named}
        for address in named:
            assert not re.match(r"[a-z]+:|/", address)
            assert (folder / (address.partition("#")[0] or name)).is_file(), f"{name}: {address}"
    assert len(list((folder / "data").rglob("*.js"))) > 10


def test_provenance_is_what_snakemake_noted(finished):
    figure = "results/smallest/landscape/study/latency.png"
    record = read_record(finished.folder / ".snakemake" / "metadata", figure)
    assert record.rule == "landscape_accuracy_figures"
    text = (finished.results / "report" / "landscape.html").read_text(encoding="utf-8")
    told = text.partition(f"<dt>File</dt><dd>{figure}")[2].partition("</dl>")[0]
    for said in (record.rule, *record.inputs, *record.checksums.values(), "Wall time", "Code (fingerprint)"):
        assert said in told
    # one job a training, all told by their rule
    runs = (finished.results / "report" / "runs.html").read_text(encoding="utf-8")
    assert re.search(r'training_train</th>\s*<td>training</td>\s*<td class="number" data-sort="7">7<', runs)


def test_snakemakes_report_holds_the_folder_and_says_what_everything_is(finished, tmp_path):
    run = finished.snakemake("report", "--report", str(tmp_path / "report.zip"))
    assert run.code == 0, run.output
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        names = set(archive.namelist())
        html = archive.read("report/report.html").decode("utf-8")
    results = json.loads(re.search(r"var results = (\{.*?\});\n", html)[1])
    for path, about in results.items():
        assert about["caption"], path
        assert set(about["labels"]) == {"content", "kind"}, path
    categories = json.loads(re.search(r"var categories = (\{.*?\});\n", html)[1])
    assert set(categories) == {"Tables", "Landscape", "Surrogates", "Comparison", "Report"}
    (address,) = [about["data_uri"] for about in results.values() if about["labels"]["content"] == "All pages"]
    assert address.endswith("/index.html")
    inside = f"report/{address.removesuffix('index.html')}"
    site = finished.results / "report"
    wanted = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert {f"{inside}{path}" for path in wanted if not path.startswith(".")} <= names
