"""Digests by which results tell what they were made from."""

import hashlib
import json


def digest_of(content: object) -> str:
    """Return the SHA-256 of anything JSON can hold, as 64 hex digits; the order of dictionary keys does not count.

    Folders and files of finished work bear such digests: another way of writing the content would orphan them.
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
