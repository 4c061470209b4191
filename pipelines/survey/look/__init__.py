"""What a config's feed and photos hold, before a run: read by the stages' own code, in a store that is thrown away."""
