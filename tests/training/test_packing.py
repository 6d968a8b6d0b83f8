"""Which architectures share a job, and which jobs run again."""

import json

from hypothesis import given
from hypothesis import strategies as st

from terranas.training.packing import arrange, forget_unfinished

COSTS = st.dictionaries(st.text("abcdef", min_size=3, max_size=3), st.integers(1, 20), max_size=30)


@given(COSTS, st.integers(1, 5), st.randoms(use_true_random=False))
def test_packs_hold_each_architecture_once_by_size_and_do_not_move(macs, size, random):
    packs = arrange(macs, size, ())
    assert sorted(name for pack in packs for name in pack) == sorted(macs)
    assert all(len(pack) == size for pack in packs[:-1])
    in_order = [macs[name] for pack in packs for name in pack]
    assert in_order == sorted(in_order)
    left_out = set(random.sample(sorted(macs), len(macs) // 3))
    assert arrange(macs, size, left_out) == [[name for name in pack if name not in left_out] for pack in packs]


def test_receipts_of_unfinished_packs_are_forgotten(tmp_path):
    receipts = {
        "0": {"a": "finished", "b": "finished"},
        "1": {"c": "finished", "d": "killed by signal 9"},
        "2": {"e": "finished", "f": "killed by signal 9"},
    }
    for name, outcomes in receipts.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(outcomes))
    (tmp_path / "3.json").write_text('{"g": "finis')
    forget_unfinished(tmp_path, {"f"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.json", "2.json"]
    forget_unfinished(tmp_path / "nowhere", ())
