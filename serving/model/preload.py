"""What all processes of models have in common: imported once, by the server that they are forked from.

TensorFlow is imported and no more: it begins its threads, and opens a GPU, in a process that is forked.
"""

import gc

import serving.model.child  # noqa: F401
from pipelines.models.tensorflow import start_up_messages_kept
from trainer import process

with start_up_messages_kept():
    import tensorflow  # noqa: F401

gc.collect()
process.give_back()
gc.freeze()  # pages that no collector writes to stay shared
