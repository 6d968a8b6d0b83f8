"""Prose of the page that no number stands in."""

from terranas.report.published.studies import PART, WHOLE, configuration

COMMAND = "python -m terranas.report.published --data data --studies results --output docs"
"""Writes the page and its pictures."""

INTRODUCTION = f"""\
# Published numbers beside ours

What E. Demir's master's thesis and the published tables state, and what terranas computes from the same published
measurements with its own code. The page and its pictures are generated:

```sh
{COMMAND}
```

- *Ours* is computed the right way; *published way* repeats a step as it was published where that step is a slip, so
  that the published number can be met. [The sources](#sources) say what is meant by thesis.
- Nothing here was trained or timed anew. What would need the images or the GPUs of the study says *not computed*,
  and has no stand-in.
- The files of the EO benchmark that this page was made from may be a part of the publication; each number says how
  many cells it is over.
"""

HOW = f"""\
## Making this page again

Below `data/` are expected, under the names of their publishers (`terranas.report.published.inputs.DATA`):
`eo-hwnas/` with the six files of the EO benchmark ([tables](tables.md#eo_hwnas)), `ec-nas/` with the two of
EC-NAS-Bench, and `nas-bench-101/cifar10_test_accuracy_108.parquet`: `test_accuracy` and `flops` of each cell, whose
row is its id, as ObfuNAS distributes them.

Three studies are run before. Two read NAS-Bench-101: `nas-bench-101/nasbench_real_subset.tfrecord`, 19,960 cells of
the published records in their own format, and a [table of one's own](tables.md#own) with the accuracies of all cells:

```python
import pandas as pd

published = pd.read_parquet("data/nas-bench-101/cifar10_test_accuracy_108.parquet")
table = pd.DataFrame({{"id": range(len(published)), "dataset": "CIFAR-10", "epochs": 108}})
table["test_micro_accuracy"] = published["test_accuracy"]
table.to_parquet("data/cifar10.parquet")
```

```yaml title="{PART.name}.yaml"
{configuration(PART)}```

```yaml title="{WHOLE.name}.yaml"
{configuration(WHOLE)}```

The third is `config/nasbench201.yaml`. With the file of all cells ([downloads](downloads.md)) the first one would have
measured values only, as the thesis had; the texts here speak of the part. Each takes up to a quarter of an hour on
two cores:

```sh
snakemake --configfile {PART.name}.yaml -- comparison
snakemake --configfile {WHOLE.name}.yaml -- comparison
snakemake --configfile config/nasbench201.yaml -- comparison
```
"""

SOURCES = """\
## Sources

- Thesis: E. Demir. Landscape Analysis for Multi-Objective Hardware-Aware Neural Architecture Search in Earth
  Observation Applications. Master's thesis, Technical University of Munich, 2023. Its code and its EO benchmark are
  released as `emreds/tum-dlr-automl-for-eo` and `emreds/data-centric-nas` on GitHub.
- NAS-Bench-101: C. Ying and others. NAS-Bench-101: Towards Reproducible Neural Architecture Search. ICML 2019.
- EC-NAS-Bench: P. Bakhtiarifard, C. Igel, R. Selvan. EC-NAS: Energy Consumption Aware Tabular Benchmarks for Neural
  Architecture Search. ICASSP 2024.

[Published tables](tables.md) has the others, and the licences.
"""
