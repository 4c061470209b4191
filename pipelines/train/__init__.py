"""The train stage: examples from labels and prepared photos, a TFX pipeline over them, and the model it blesses."""
