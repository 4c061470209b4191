"""Paths as TensorFlow and TFX take them; small texts by local path or `gs://` URI.

TensorFlow's own client reads the latter, and is imported only then.
"""

from __future__ import annotations

from pathlib import Path

SCHEME = "gs://"
PATTERN_SIGNS = frozenset("*?[]{}\\")
"""What makes a path a pattern to TensorFlow, TFX and Beam, in folders' names too."""


def in_bucket(path: str) -> bool:
    """Tell whether a path is a URI of Google Cloud Storage."""
    return path.startswith(SCHEME)


def is_plain(path: str) -> bool:
    """Tell whether TensorFlow and TFX take a path as it is: it is no pattern to them, and UTF-8."""
    return PATTERN_SIGNS.isdisjoint(path) and is_utf8(path)


def is_utf8(path: str) -> bool:
    """Tell whether a path is UTF-8; Python keeps other bytes of it as surrogates."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_text(path: str) -> str:
    """Return the whole text of a file, which is UTF-8."""
    if not in_bucket(path):
        return Path(path).read_text(encoding="utf-8")
    import tensorflow as tf

    with tf.io.gfile.GFile(path) as file:
        return str(file.read())
