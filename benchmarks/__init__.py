"""One script a question; each starts as the stages do, with the allocator and the kernels that they compute with."""

from trainer import process

process.set_up()
