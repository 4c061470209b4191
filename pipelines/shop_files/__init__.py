"""The shop's own files: feeds and photos, by path or URI."""
