from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terranas.report.shards import DTYPES, array_bytes, as_characters, plane_bytes, write_shard

from .shard_files import from_planes, read_shard


@given(content=st.binary(max_size=200))
def test_content_comes_back(tmp_path_factory, content):
    site = tmp_path_factory.mktemp("site")
    write_shard(site, "a/b", content)
    assert read_shard(site, "a/b") == content


@given(content=st.binary(max_size=100))
def test_no_character_ends_the_text_or_is_half_of_one(content):
    text = as_characters(content).decode("utf-16-le")  # a lone surrogate would raise
    assert len(text) == -(-8 * len(content) // 15)
    assert all(0x3000 <= ord(character) < 0xB000 for character in text)


def test_a_shard_takes_seven_percent_more_than_its_packed_content(tmp_path):
    content = np.random.default_rng(0).bytes(150_000)  # cannot be packed
    size = write_shard(tmp_path, "noise", content)
    assert size == (tmp_path / "data" / "noise.js").stat().st_size
    assert 16 / 15 <= size / len(content) < 16 / 15 + 0.002


def test_equal_content_gives_equal_files(tmp_path):
    for site in ("one", "other"):
        write_shard(tmp_path / site, "x", b"content" * 100)
    one, other = ((tmp_path / site / "data" / "x.js").read_bytes() for site in ("one", "other"))
    assert one == other


@pytest.mark.parametrize("name", ["", "/x", "x/", "a//b", "../x", "a/.x", 'a"b', "ä", "a b", "a\n"])
def test_a_name_that_could_lead_out_or_end_the_text_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="is no name of a shard"):
        write_shard(tmp_path, name, b"")
    assert list(Path(tmp_path).iterdir()) == []


@pytest.mark.parametrize("dtype", DTYPES)
def test_planes_hold_the_same_values_in_another_order(dtype):
    values = np.random.default_rng(1).integers(0, 200, 50).astype(dtype) * 3
    content = plane_bytes(values)
    assert sorted(content) == sorted(array_bytes(values))
    assert np.array_equal(from_planes(content, dtype, 50), values)


def test_bytes_are_little_endian_whatever_the_array():
    assert array_bytes(np.array([1, 258], dtype=">u2")) == bytes([1, 0, 2, 1])
    assert plane_bytes(np.array([1, 258], dtype=">u2")) == bytes([1, 2, 0, 1])


def test_a_type_that_pages_lack_is_refused():
    with pytest.raises(ValueError, match="No typed array of a page holds int64"):
        array_bytes(np.arange(3))
