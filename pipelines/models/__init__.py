"""Exported models as the store keeps them."""
