"""Nearest-neighbour indexes over one vector space: building them, searching them, and the plan of a query.

Owns faiss: no other package imports it. Importing this package imports nothing heavy; its modules load faiss when they
need it.
"""
