"""Items taken out of everything that a store holds, and the proof of it."""
