"""A run: its context, ledger, lease and manifests, and its stages in order."""
