"""Drawings of products, a module a family: outlines only, no pixels."""
