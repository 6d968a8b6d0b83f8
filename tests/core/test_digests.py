"""Digests name what is on disk already, so they must stay what they are."""

import hashlib

from terranas.core.digests import digest_of


def test_a_digest_is_that_of_sorted_json():
    assert digest_of({"b": [1, None], "a": "x"}) == hashlib.sha256(b'{"a": "x", "b": [1, null]}').hexdigest()
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert len({digest_of(content) for content in ({}, [], None, "", 0, 0.0, {"a": 1}, {"a": "1"}, [[1]], [1])}) == 10
