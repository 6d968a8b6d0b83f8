import json
import re
import runpy
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

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
from terranas.core.tables import write_table
from terranas.data.schema import CLASS_COUNTS
from terranas.landscape.schema import RUGGEDNESS
from terranas.report.page import SYNTHETIC_WARNING, render_page
from terranas.sampling.schema import WALKS
from terranas.space.schema import CELLS
from terranas.surrogates.schema import PREDICTED_FRONTS, SCORES
from terranas.training.status import TrainingStatus, write_status

from ..comparison.study_tables import Inputs, parameters_of, write_pictures, write_search_study

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = (ROOT / "terranas" / "core" / "templates" / "page.html").read_text(encoding="utf-8")
VOID = {"meta", "img", "br", "hr", "link", "input"}


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
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def html(results, figures, searches):
    return render_page(results, figures, searches, TEMPLATE)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_nothing_is_loaded(html, page):
    assert not re.search(r"https?:|//[a-z]", re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", html))
    assert "url(" not in html
    assert "@import" not in html
    for tag in ("script", "link", "iframe", "object", "embed", "base", "form"):
        assert page.all(tag) == []
    for image in page.all("img"):
        assert image["src"].startswith("data:image/png;base64,")
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_every_figure_has_words_with_numbers(page, figures):
    images = page.all("img")
    assert len(images) == len(figures) + 3
    for image in images:
        assert len(image["alt"]) > 40
        assert re.search(r"\d", image["alt"])
        assert int(image["width"]) > 100
        assert int(image["height"]) > 100


def test_every_drawing_has_words(page):
    drawings = [svg for svg in page.all("svg") if svg.get("class") == "cell"]
    assert drawings
    assert all(svg["role"] == "img" and svg["aria-label"].startswith("Cell of") for svg in drawings)
    assert all(svg.get("aria-hidden") == "true" for svg in page.all("svg") if svg.get("class") != "cell")


def test_contents_lead_to_sections_in_data_flow_order(page):
    sections = [attributes["id"] for attributes in page.all("section")]
    assert sections == [
        "overview",
        "space",
        "data",
        "sampling",
        "benchmark",
        "tables",
        "landscape",
        "surrogates",
        "search",
        "comparison",
        "provenance",
    ]
    targets = [link["href"] for link in page.all("a") if link.get("class") != "skip"]
    assert targets == [f"#{name}" for name in sections]


def test_names_are_unique_and_references_resolve(page):
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(names) == len(set(names))
    for _, attributes in page.elements:
        if reference := attributes.get("aria-labelledby"):
            assert reference in names
    assert page.elements[0] == ("html", {"lang": "en"})
    assert len(page.all("h1")) == len(page.all("main")) == 1


def test_tables_are_reached_by_keyboard_and_rows_fit_their_heads(page):
    regions = [attributes for attributes in page.all("div") if attributes.get("class") == "scroll"]
    assert len(regions) == len(page.all("table"))
    assert all(region["tabindex"] == "0" for region in regions)


def test_says_synthetic_only_where_it_is(make_results, figures, page, searches):
    assert SYNTHETIC_WARNING in page.text
    real = make_results(dataset="EuroSAT RGB", source="npz")
    text = Page(render_page(real, figures, searches, TEMPLATE)).text
    # the configuration has a section of that name
    assert "synthetic" not in text.replace(" ".join(real.config_text.split()), "")
    assert "EuroSAT RGB" in text


def test_equal_results_give_equal_pages(make_results, figures, html, searches):
    assert render_page(make_results(), dict(reversed(figures.items())), searches, TEMPLATE) == html


def test_names_cannot_become_markup(stand_in, make_results, figures, searches):
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> & </style>"
    results = make_results(
        title=evil, dataset=f"{evil} synthetic", class_names=[evil, *(f"{evil} {n}" for n in range(1, 17))]
    )
    results = replace(
        results,
        failures=[stand_in.failure(results.cells["hash"].iloc[0], "diverged", evil)],
        software={**results.software, "packages": {evil: evil}, "platform": evil},
    )
    hostile = Page(render_page(results, figures, searches, TEMPLATE))
    assert hostile.all("script") == []
    assert len(hostile.all("img")) == len(figures) + 3
    assert not any(name.startswith("on") for _, attributes in hostile.elements for name in attributes)
    assert hostile.text.count("<script>alert(1)</script>") > 4


def test_the_whole_configuration_stands_on_the_page(page, results):
    assert " ".join(results.config_text.split()) in page.text


def test_reasons_of_failed_trainings_are_told(stand_in, results, figures, searches):
    hashes = results.cells["hash"]
    table = stand_in.failed(results.table, ["diverged", "accepted_failure"])
    records = [
        stand_in.failure(hashes[0], "diverged", "The loss became NaN."),
        stand_in.failure(hashes[1], "accepted_failure", "Killed."),
    ]
    told = replace(results, table=table, searched=TabularBenchmark(table), failures=records)
    text = Page(render_page(told, figures, searches, TEMPLATE)).text
    for words in (hashes[0][:8], "The loss became NaN.", hashes[1][:8], "Killed.", "given up by hand"):
        assert words in text


def test_a_page_without_any_result_is_still_a_page(stand_in, results, figures, searches):
    table = stand_in.failed(results.table, ["diverged"] * 91)
    empty = replace(
        results,
        table=table,
        searched=TabularBenchmark(table),
        searches=replace(
            results.searches,
            tests=results.searches.tests.iloc[:0],
            ranks=results.searches.ranks.iloc[:0],
            conclusions=results.searches.conclusions.iloc[:0],
        ),
        ruggedness=results.ruggedness.assign(ruggedness=np.nan, autocorrelation=np.nan),
        scores=results.scores.assign(spearman=np.nan),
    )
    text = Page(render_page(empty, figures, searches, TEMPLATE)).text
    assert "No test between arms could be made." in text
    assert "there is no Pareto front" in text
    assert "nan" not in text.lower().split()


def test_a_published_benchmark_is_named_where_it_was_searched(results, figures, searches):
    config = {**results.config, "search": {**results.config["search"], "benchmark": "nasbench101"}}
    published = results.table.assign(dataset="CIFAR-10", latency_ms=np.nan, device="")
    told = replace(results, config=config, searched=TabularBenchmark(published))
    text = Page(render_page(told, figures, searches, TEMPLATE)).text
    assert "searched NAS-Bench-101 (CIFAR-10)" in text
    assert "validation micro accuracy and MACs on CIFAR-10" in text


def test_architectures_of_another_space_are_texts(results, figures, searches):
    names = [f"|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|{operation}~2|" for operation in ("none", "x")]
    shared = {"dataset": "CIFAR-10", "epochs": 200, "repeat": 0, "outcome": "ok", "source": "others"}
    names_only = pd.DataFrame({"architecture": names, "index": [0, 1]}).assign(**shared)
    parts = [names_only.assign(device="", test_micro_accuracy=[0.6, 0.7], macs=[1e7, 2e7])]
    for device, latency in (("Pixel 3", [4.0, 5.0]), ("FPGA", [1.0, 2.0])):
        parts.append(names_only.assign(device=device, latency_ms=latency, arithmetic_intensity=3.0))
    table = SCHEMA.validate(pd.concat(parts).reindex(columns=SCHEMA.names))
    objectives = ["test_micro_accuracy", "latency_ms@Pixel 3", "arithmetic_intensity@FPGA"]
    searching = {**results.config["search"], "benchmark": "hw_nas_bench", "objectives": objectives}
    told = replace(
        results,
        config={**results.config, "search": searching},
        searched=TabularBenchmark(table, schema=SCHEMA),
        searches=replace(
            results.searches,
            objectives=objectives_of(TabularBenchmark(table, schema=SCHEMA), objectives),
            indicators=results.searches.indicators.assign(**{f"best_{name}": 1.0 for name in objectives}),
        ),
    )
    text = Page(render_page(told, figures, searches, TEMPLATE)).text
    assert "searched HW-NAS-Bench (CIFAR-10)" in text
    assert "neighbours when one operation differs" in text
    assert all(name in text for name in names)
    assert "arithmetic intensity on FPGA 3.00 op/B" in text
    assert "4.00 ms" in text
    assert "comparison/hw_nas_bench/index.html" in text


def test_a_long_front_is_shown_in_part_and_says_so(results, figures, searches):
    # accuracy that rises with cost puts every architecture of distinct cost on the front
    table = results.table.copy()
    table["macs"] = np.arange(1.0, 92.0)
    table["validation_micro_accuracy"] = np.linspace(0.1, 0.9, 91)
    long = replace(results, searched=TabularBenchmark(table))
    text = Page(render_page(long, figures, searches, TEMPLATE)).text
    assert "20 of its 91 architectures, evenly spread" in text


def test_a_damaged_figure_is_named(results, figures, searches):
    with pytest.raises(DataError, match="'latency' is no PNG file"):
        render_page(results, {**figures, "latency": b"<svg/>"}, searches, TEMPLATE)


def write_study(stand_in, folder, results, figures, searches):
    """Write results as the workflow's earlier stages do and return the inputs of the page's rule."""
    tables = {
        "cells": CELLS,
        "walks": WALKS,
        "class_counts": CLASS_COUNTS,
        "table": BENCHMARK,
        "ruggedness": RUGGEDNESS,
        "scores": SCORES,
        "predicted": PREDICTED_FRONTS,
    }
    paths = {name: folder / f"{name}.parquet" for name in tables}
    for name, schema in tables.items():
        write_table(getattr(results, name), paths[name], schema)
    paths["accuracy_summary"] = folder / "accuracy_summary.csv"
    results.accuracy_summary.to_csv(paths["accuracy_summary"], index=False)
    paths |= write_search_study(results.searches, folder)
    for name in ("manifest", "software"):
        paths[name] = folder / f"{name}.json"
        paths[name].write_text(json.dumps(getattr(results, name)))
    graphs = [folder / f"graph_{number}.json" for number in range(len(results.graphs))]
    for path, graph in zip(graphs, results.graphs, strict=True):
        path.write_text(json.dumps(graph))
    validations = [folder / f"{name}.validation.json" for name in results.validations]
    for path, report in zip(validations, results.validations.values(), strict=True):
        path.write_text(json.dumps(report))
    (folder / "config.yaml").write_text(results.config_text, encoding="utf-8")
    for name, png in figures.items():
        (folder / f"{name}.png").write_bytes(png)
    good = TrainingStatus(**{**stand_in.failure("0" * 32, "diverged", "").model_dump(), "outcome": "ok"})
    for status in (*results.failures, good):
        write_status(status, folder / f"status_{status.hash}.json")
    return Inputs(
        **paths,
        graphs=graphs,
        validations=validations,
        config=folder / "config.yaml",
        searched_table=paths["table"],
        words=[write_pictures(searches, folder)],
        statuses=sorted(folder.glob("status_*.json")),
        figures=[folder / f"{name}.png" for name in figures],
    )


def run_script(name, **attributes):
    runpy.run_path(
        str(ROOT / "workflow_scripts" / "report" / name), init_globals={"snakemake": SimpleNamespace(**attributes)}
    )


def test_the_script_writes_the_same_page_from_files(stand_in, tmp_path, results, figures, searches):
    told = replace(
        results, failures=[stand_in.failure(results.cells["hash"].iloc[0], "diverged", "The loss became NaN.")]
    )
    output = tmp_path / "report" / "index.html"
    run_script(
        "page.py",
        input=write_study(stand_in, tmp_path, told, figures, searches),
        output=SimpleNamespace(page=output),
        params=SimpleNamespace(dataset=None, study=parameters_of(told.searches)),
        log=[tmp_path / "page.log"],
    )
    assert output.read_text(encoding="utf-8") == render_page(told, figures, searches, TEMPLATE)


def test_the_script_writes_nothing_where_an_input_is_damaged(stand_in, tmp_path, results, figures, capsys, searches):
    given = write_study(stand_in, tmp_path, results, figures, searches)
    (tmp_path / "latency.png").write_bytes(b"")
    with pytest.raises(SystemExit):
        run_script(
            "page.py",
            input=given,
            output=SimpleNamespace(page=tmp_path / "index.html"),
            params=SimpleNamespace(dataset=None, study=parameters_of(results.searches)),
            log=[],
        )
    assert "The figure 'latency' is no PNG file" in capsys.readouterr().err
    assert not (tmp_path / "index.html").exists()


def test_the_script_writes_config_and_versions(tmp_path, results):
    output = SimpleNamespace(config=tmp_path / "config.yaml", software=tmp_path / "software.json")
    run_script("provenance.py", params=SimpleNamespace(config=results.config), output=output, log=[])
    assert output.config.read_text(encoding="utf-8") == results.config_text
    assert json.loads(output.software.read_text())["packages"]["numpy"] == np.__version__


def test_published_tables_stand_with_their_checks_and_origins(make_results, figures, searches):
    keys = ["a", "b"]
    checks = [
        compare("parameters equal the closed form", [1, 2], [1, 2], keys),
        compare("nothing is known", [np.nan, 1], [1, np.nan], keys),
        compare("latencies agree", [1.0, 2.5], [1.0, 2.0], keys, tolerance=0.1, relative=True),
    ]
    own = make_results()
    table = own.table.assign(source="somebody", dataset="images <of others>")
    source = Source("A table", "NAS-Bench-101", 423_624, "MIT", "A paper.", ("Latencies are means.",))
    report = {"source": asdict(source)} | describe_table(table, BENCHMARK, source.space_size, checks)
    html = render_page(replace(own, validations=own.validations | {"published": report}), figures, searches, TEMPLATE)
    text = " ".join(" ".join(Page(html).words).split())
    assert "1 published table stands beside it: published." in text
    assert "1 of 3 checks of published values failed: latencies agree." in text
    assert "b: 2.5, expected 2" in text
    assert "Latencies are means." in text
    assert "images &lt;of others&gt;" in html
    # a metric reads the same in every table of the page
    smallest = f"{int(own.cells['parameters'].min()):,}"
    assert text.count(smallest) >= 2
    assert "0.02" in text.split("published", 1)[1]  # 91 of 423,624 cells
