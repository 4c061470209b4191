"""The page of the service: files that a browser gets, and nothing from elsewhere."""
