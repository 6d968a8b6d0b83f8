"""Tables of the report where the numbers behind them hold more or less than is shown."""

from terranas.report.tabulation import trainings


def test_trainings_are_told_with_what_is_known_of_them(stand_in, results):
    failed = stand_in.failure("f" * 32, "out_of_memory", "No memory left.")
    table = trainings([failed, results.statuses[0]])
    heads = [head.text for head in table.heads]
    good, bad = table.rows
    assert len(good) == len(bad) == len(heads)
    assert "Energy [kJ]" not in heads
    assert "Memory of a GPU [MB]" not in heads
    assert bad[:3] == ["ffffffff", "out of memory", "1"]
    assert bad[heads.index("Test micro accuracy")] == "–"
    assert good[heads.index("Memory of the machine [MB]")] == "1,234"


def test_columns_of_a_gpu_stand_where_one_was_used(results):
    first = results.statuses[0]
    used = first.used.model_copy(update={"device_mb": 900.0})
    table = trainings([first.model_copy(update={"used": used, "energy_joule": 1500.0}), first])
    heads = [head.text for head in table.heads]
    column = [row[heads.index("Energy [kJ]")] for row in table.rows]
    assert sorted(column) == ["1.50", "–"]
    assert [row[heads.index("Memory of a GPU [MB]")] for row in table.rows] == ["900", "0"]
