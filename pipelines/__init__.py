"""What happens to files: the seven stages, the store, the configuration and the command line."""
