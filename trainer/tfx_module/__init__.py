"""The two functions that the TFX Transform and Trainer components call, found by their dotted names."""
