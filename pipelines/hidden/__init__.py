"""Items that nobody is to find, from now on: a log of who hid what, when and why, and who reads it."""

from pipelines.hidden.state import Hidden, HiddenItem, read_hidden

__all__ = ["Hidden", "HiddenItem", "read_hidden"]
