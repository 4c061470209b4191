"""What happens to one image or label: pure functions; no Beam, no files."""
