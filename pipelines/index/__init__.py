"""Nearest-neighbour indexes over one vector space: building them, searching them, and the plan of a query.

Owns faiss: no other package imports it. Must not know where the vectors come from (Beam, the store) or who asks
(the command line, a server). Importing this package imports nothing heavy; its modules load faiss when they need it.
"""
