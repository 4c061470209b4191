"""The formats of feed files: bytes -> text -> raw rows."""
