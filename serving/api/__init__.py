"""The HTTP interface, a module a resource; `/v1` is its version."""
