"""The preprocess stage: each new photo is fetched and prepared once; labels get their slots and statistics from TFT."""
