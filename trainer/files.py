"""Small texts by local path or `gs://` URI, the latter through TensorFlow's own client, which is imported only then."""

from __future__ import annotations

from pathlib import Path

SCHEME = "gs://"


def in_bucket(path: str) -> bool:
    """Tell whether a path is a URI of Google Cloud Storage."""
    return path.startswith(SCHEME)


def read_text(path: str) -> str:
    """Return the whole text of a file, which is UTF-8."""
    if not in_bucket(path):
        return Path(path).read_text(encoding="utf-8")
    import tensorflow as tf

    with tf.io.gfile.GFile(path) as file:
        return str(file.read())
