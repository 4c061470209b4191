"""The index stage: what belongs into the gallery, and the folder that is built of it."""
