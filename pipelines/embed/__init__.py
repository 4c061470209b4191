"""The embed stage: every active photo that has no vector in the model's space yet gets one, once."""
