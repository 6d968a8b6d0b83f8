"""The report's pages: that they say what the tables say, hold together, and let nothing in the data run or load."""

import csv
import json
import re
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from terranas.benchmark.hw_nas_bench import SCHEMA
from terranas.benchmark.imported import Source
from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.tabular import TabularBenchmark
from terranas.benchmark.validation import compare, describe_table
from terranas.comparison.study import objectives_of
from terranas.core.errors import DataError
from terranas.core.files import sha256_file
from terranas.core.page import Head, Picture, Section, Table
from terranas.core.page import Page as Content
from terranas.report import sections
from terranas.report.charts import learning_curves
from terranas.report.pictures import size_analysis
from terranas.report.shell import ASSETS
from terranas.report.stages import SYNTHETIC_WARNING, with_sources
from terranas.report.start import start_page

from .small_site import FIGURES, write_small_site
from .small_study import dummy_figure

VOID = {"meta", "img", "br", "hr", "link", "input"}
PAGES = [
    *("index", "space", "data", "sampling", "training", "profiling", "benchmark"),
    *("landscape", "surrogates", "search", "comparison", "runs"),
]


class Page(HTMLParser):
    """Elements of a page, with a check that they nest."""

    def __init__(self, text):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def read(site, name):
    return Page((site.folder / f"{name}.html").read_text(encoding="utf-8"))


def told(page):
    """Return all sentences of a page's content."""
    return " ".join(" ".join(sentence for section in page.sections for sentence in section.sentences).split())


def words(section):
    """Return all that a section says and shows as text."""
    tables = [str(entry) for block in section.blocks if hasattr(block, "rows") for row in block.rows for entry in row]
    captions = [block.caption for block in section.blocks if hasattr(block, "caption")]
    return " ".join(" ".join([*section.sentences, *captions, *tables]).split())


def start_of(results):
    return told(start_page(results, {}))


def test_a_start_page_and_a_page_a_stage(site):
    assert site.pages == [f"{name}.html" for name in PAGES]
    start = read(site, "index")
    heads = [section["id"] for section in start.all("section")]
    assert heads == ["run", "images", "found", "landscape", "surrogates", "sure", "pages"]
    links = [link["href"] for link in start.all("a")]
    assert all(links.count(f"{name}.html") >= 2 for name in PAGES[1:])


@pytest.mark.parametrize("name", PAGES)
def test_all_that_a_page_names_is_there(site, name):
    page = read(site, name)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for kind in ("href", "src"):
            address = attributes.get(kind)
            if address is None:
                continue
            assert not re.match(r"[a-z]+:|/", address)
            if address.startswith("#"):
                assert address[1:] in ids
            else:
                assert (site.folder / unquote(address)).is_file(), address
        if reference := attributes.get("aria-labelledby"):
            assert reference in ids
    assert page.elements[0] == ("html", {"lang": "en"})
    assert len(page.all("h1")) == len(page.all("main")) == 1


@pytest.mark.parametrize("name", PAGES)
def test_only_files_of_the_folder_may_run(site, name):
    page = read(site, name)
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-inline" not in policy.partition("script-src")[2]
    for script in page.all("script"):
        assert script.get("src", "").startswith("assets/") or script["type"] == "application/json"
    assert not any(key.startswith("on") for _, attributes in page.elements for key in attributes)


def test_every_vendored_library_is_what_its_list_says():
    listed = json.loads((ASSETS / "vendor" / "vendored.json").read_text())
    scripts = sorted(path.name for path in (ASSETS / "vendor").glob("*.js"))
    assert sorted(one["file"] for one in listed) == scripts
    for one in listed:
        assert sha256_file(ASSETS / "vendor" / one["file"]) == one["sha256"]
        assert (ASSETS / "vendor" / f"{one['file'].split('.')[0]}.LICENSE").is_file()


@pytest.mark.parametrize("name", PAGES)
def test_every_figure_has_words_and_the_files_behind_it(site, name):
    page = read(site, name)
    for image in page.all("img"):
        assert re.search(r"\d", image["alt"])
        assert int(image["width"]) > 100
        assert int(image["height"]) > 100
    downloads = [link["href"] for link in page.all("a") if "download" in link]
    for link in page.all("a"):
        if link.get("class") == "card zoom" and name != "profiling":
            endings = {Path(one).suffix for one in downloads if Path(one).stem == Path(link["href"]).stem}
            assert endings == {".png", ".svg", ".pdf", ".csv"}
    assert len(downloads) >= len(page.all("table"))


def test_every_drawing_has_words(site):
    page = read(site, "benchmark")
    drawings = [svg for svg in page.all("svg") if svg.get("class") == "cell"]
    assert drawings
    assert all(svg["role"] == "img" and svg["aria-label"].startswith("Cell of") for svg in drawings)
    assert all(svg.get("aria-hidden") == "true" for svg in page.all("svg") if svg.get("class") != "cell")


def test_tables_are_reached_by_keyboard_and_stand_as_csv(site):
    page = read(site, "training")
    regions = [attributes for attributes in page.all("div") if attributes.get("class") == "scroll"]
    assert len(regions) == len(page.all("table"))
    assert all(region["tabindex"] == "0" for region in regions)
    with (site.folder / "files/shown/training/training-1.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 91
    assert {row["Outcome"] for row in rows} == {"ok"}


def test_drawings_are_left_out_of_csv_files_and_small_sources_stand_beside(site):
    with (site.folder / "files/shown/benchmark/benchmark-2.csv").open(encoding="utf-8") as file:
        assert "Graph" not in next(csv.reader(file))
    counts = pd.read_csv(site.folder / "files/data/class_counts.csv")
    pd.testing.assert_frame_equal(counts, site.results.class_counts, check_dtype=False)


def test_large_sources_are_not_converted(tmp_path, monkeypatch):
    monkeypatch.setattr("terranas.report.site.LARGEST_CONVERTED", 10)
    made = write_small_site(tmp_path)
    assert not (made.folder / "files" / "data").exists()


def test_figures_of_a_page_may_come_from_another_file():
    figures = [Picture(name, dummy_figure(name), "Frame.", "Stand-in.") for name in ("latency", "drift-1")]
    table = Table("Numbers.", [Head("Name", "text")], [("a",)])
    page = Content("Device", "device", "", [], [Section("all", "All", [], [*figures, table])])
    (section,) = with_sources(page, "conditions.parquet", {"drift": "session.parquet"}).sections
    assert [block.source for block in section.blocks[:2]] == ["conditions.parquet", "session.parquet"]
    assert section.blocks[2].sources == ["conditions.parquet"]


def test_provenance_is_told_or_said_to_be_missing(site):
    page = read(site, "data")
    assert "data_rule" in page.text
    assert "'<b>a & b</b>'" in page.text
    assert "not there any more" in page.text
    assert "Snakemake keeps no record" in page.text  # of the figure of the classes
    assert "(and 1 others made likewise)" in read(site, "training").text


def test_pages_of_other_stages_keep_their_warnings_and_limits(site):
    text = read(site, "profiling").text
    for said in ("Foreign load disturbed", "One session only.", "of a batch", "What cells cost"):
        assert said in text


def test_numbers_carry_what_they_are_sorted_by(site):
    keys = [cell["data-sort"] for cell in read(site, "profiling").all("td") if "data-sort" in cell]
    assert keys == ["1234", "-5", "43200"]


def test_charts_have_words_and_data(site):
    page = read(site, "training")
    (chart,) = [one for one in page.all("div") if one.get("class") == "chart"]
    assert chart["role"] == "img"
    assert "medians of 5 trainings" in chart["aria-label"]
    assert len(pd.read_csv(site.folder / "files/shown/training/learning.csv")) == 4
    assert not [script for script in read(site, "space").all("script") if "echarts" in script["src"]]


def test_learning_curves_are_quantiles(results):
    chart = learning_curves(results.epochs)
    last = results.epochs[results.epochs["epoch"] == 4]["validation_micro_accuracy"]
    band = chart.data["bands"][1]
    assert band["median"][-1] == pytest.approx(np.median(last), abs=1e-5)
    assert band["upper quartile"][-1] == pytest.approx(np.quantile(last, 0.75), abs=1e-5)
    assert learning_curves(results.epochs.iloc[:0]) is None


def test_equal_results_give_equal_pages(site, tmp_path):
    again = write_small_site(tmp_path)
    for name in PAGES:
        first, second = ((one.folder / f"{name}.html").read_text() for one in (site, again))
        assert first.replace(str(site.study), "") == second.replace(str(again.study), "")


def test_says_synthetic_only_where_it_is(site, tmp_path_factory):
    assert all(SYNTHETIC_WARNING in read(site, name).text for name in PAGES)
    real = write_small_site(tmp_path_factory.mktemp("real"), dataset="EuroSAT RGB", source="npz")
    for name in PAGES:
        # the configuration has a section of that name
        assert "synthetic" not in read(real, name).text.replace(" ".join(real.results.config_text.split()), "")
    assert "EuroSAT RGB" in read(real, "index").text


def test_names_cannot_become_markup(stand_in, results, tmp_path):
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> & </style>"
    bad = write_small_site(
        tmp_path,
        title=evil,
        dataset=f"{evil} synthetic",
        class_names=[evil, *(f"{evil} {n}" for n in range(1, 17))],
        statuses=[stand_in.failure(results.cells["hash"].iloc[0], "diverged", evil)],
        software={**results.software, "packages": {evil: evil}, "platform": evil},
    )
    seen = 0
    for name in PAGES:
        page = read(bad, name)
        seen += page.text.count("<script>alert(1)</script>")
        for script in page.all("script"):
            assert script.get("src", "").startswith("assets/") or script["type"] == "application/json"
        assert all(image["src"].startswith("files/") for image in page.all("img"))
        assert not any(key.startswith("on") for _, attributes in page.elements for key in attributes)
    assert seen > 20


def test_the_whole_configuration_stands_on_a_page(site):
    assert " ".join(site.results.config_text.split()) in read(site, "runs").text


def test_reasons_of_failed_trainings_are_told(stand_in, results):
    hashes = results.cells["hash"]
    table = stand_in.failed(results.table, ["diverged", "accepted_failure"])
    records = [
        stand_in.failure(hashes[0], "diverged", "The loss became NaN."),
        stand_in.failure(hashes[1], "accepted_failure", "Killed."),
    ]
    failed = replace(results, table=table, statuses=[*records, *results.statuses[2:]])
    text = words(sections.training(failed))
    for said in (hashes[0][:8], "The loss became NaN.", hashes[1][:8], "Killed.", "given up by hand"):
        assert said in text
    assert "2 trainings of 91 gave no full result" in start_of(failed)


def test_a_study_without_any_result_is_still_told(stand_in, results):
    table = stand_in.failed(results.table, ["diverged"] * 91)
    searches = results.searches
    empty = replace(
        results,
        table=table,
        searched=TabularBenchmark(table),
        searches=replace(
            searches,
            tests=searches.tests.iloc[:0],
            ranks=searches.ranks.iloc[:0],
            conclusions=searches.conclusions.iloc[:0],
        ),
        ruggedness=results.ruggedness.assign(ruggedness=np.nan, autocorrelation=np.nan),
        scores=results.scores.assign(spearman=np.nan),
    )
    text = " ".join([start_of(empty), words(sections.benchmark(empty)), words(sections.training(empty))])
    assert "No test between arms could be made." in text
    assert "there is no Pareto front" in text
    assert "nan" not in text.lower().split()


def test_a_published_benchmark_is_named_where_it_was_searched(results):
    config = {**results.config, "search": {**results.config["search"], "benchmark": "nasbench101"}}
    published = results.table.assign(dataset="CIFAR-10", latency_ms=np.nan, device="")
    other = replace(results, config=config, searched=TabularBenchmark(published))
    assert "searched NAS-Bench-101 (CIFAR-10)" in start_of(other)
    assert "validation micro accuracy and MACs on CIFAR-10" in words(sections.benchmark(other))


def test_architectures_of_another_space_are_texts(results):
    names = [f"|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|{operation}~2|" for operation in ("none", "x")]
    shared = {"dataset": "CIFAR-10", "epochs": 200, "repeat": 0, "outcome": "ok", "source": "others"}
    names_only = pd.DataFrame({"architecture": names, "index": [0, 1]}).assign(**shared)
    parts = [names_only.assign(device="", test_micro_accuracy=[0.6, 0.7], macs=[1e7, 2e7])]
    for device, latency in (("Pixel 3", [4.0, 5.0]), ("FPGA", [1.0, 2.0])):
        parts.append(names_only.assign(device=device, latency_ms=latency, arithmetic_intensity=3.0))
    table = SCHEMA.validate(pd.concat(parts).reindex(columns=SCHEMA.names))
    objectives = ["test_micro_accuracy", "latency_ms@Pixel 3", "arithmetic_intensity@FPGA"]
    searching = {**results.config["search"], "benchmark": "hw_nas_bench", "objectives": objectives}
    searched = TabularBenchmark(table, schema=SCHEMA)
    indicators = results.searches.indicators.assign(**{f"best_{name}": 1.0 for name in objectives})
    other = replace(
        results,
        config={**results.config, "search": searching},
        searched=searched,
        searches=replace(results.searches, objectives=objectives_of(searched, objectives), indicators=indicators),
    )
    assert "searched HW-NAS-Bench (CIFAR-10)" in start_of(other)
    assert "neighbours when one operation differs" in words(sections.search(other))
    text = words(sections.benchmark(other))
    assert all(name in text for name in names)
    assert "arithmetic intensity on FPGA 3.00 op/B" in text
    assert "4.00 ms" in text


def test_a_long_front_is_shown_in_part_and_says_so(results):
    # accuracy that rises with cost puts every architecture of distinct cost on the front
    table = results.table.copy()
    table["macs"] = np.arange(1.0, 92.0)
    table["validation_micro_accuracy"] = np.linspace(0.1, 0.9, 91)
    long = replace(results, searched=TabularBenchmark(table))
    assert "20 of its 91 architectures, evenly spread" in words(sections.benchmark(long))


def test_the_figure_of_the_surrogates_is_told(results):
    told_of = size_analysis(results, dummy_figure("size_analysis"), "size_analysis.png")
    assert "Scores of 2 surrogates for training sets of 15 to 45 architectures" in told_of.alt
    with pytest.raises(DataError, match="'size_analysis' is no PNG file"):
        size_analysis(results, b"<svg/>")


def test_published_tables_stand_with_their_checks_and_origins(results):
    keys = ["a", "b"]
    checks = [
        compare("parameters equal the closed form", [1, 2], [1, 2], keys),
        compare("nothing is known", [np.nan, 1], [1, np.nan], keys),
        compare("latencies agree", [1.0, 2.5], [1.0, 2.0], keys, tolerance=0.1, relative=True),
    ]
    table = results.table.assign(source="somebody", dataset="images of others")
    source = Source("A table", "NAS-Bench-101", 423_624, "MIT", "A paper.", ("Latencies are means.",))
    report = {"source": asdict(source)} | describe_table(table, BENCHMARK, source.space_size, checks)
    other = replace(results, validations=results.validations | {"published": report})
    text = words(sections.tables(other))
    assert "1 published table stands beside it: published." in text
    assert "1 of 3 checks of published values failed: latencies agree." in text
    assert "1 of 3 checks of published values failed: latencies agree." in start_of(other)
    assert "b: 2.5, expected 2" in text
    assert "Latencies are means." in text
    assert "images of others" in text
    assert "0.02" in text.split("published", 1)[1]  # 91 of 423,624 cells


def test_a_start_page_shows_the_figures_there_are(results):
    pictures = {name: Picture(name, dummy_figure(name), "1 curve", "") for name in FIGURES}
    page = start_page(results, pictures)
    assert isinstance(page, Content)
    found = {section.name: section for section in page.sections}["found"]
    assert isinstance(found, Section)
    assert [picture.name for picture in found.blocks] == ["fronts", "anytime"]
