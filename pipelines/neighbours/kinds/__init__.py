"""Kinds of index over the vectors of one space, behind one interface."""
