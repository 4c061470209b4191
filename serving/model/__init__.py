"""The process in which a model computes, beside the one that answers."""
