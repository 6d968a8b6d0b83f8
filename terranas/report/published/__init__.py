"""The page of published numbers beside those that terranas computes (docs/results.md).

``claims`` says what is published and where; ``inputs`` reads published files and finished studies; the modules named
after a topic compute what stands beside; ``page`` puts it into words; ``python -m terranas.report.published`` writes
it.
"""
