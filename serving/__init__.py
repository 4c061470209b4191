"""The service that answers queries over HTTP from the live release, and follows each promotion by itself.

Imports the search engine of `pipelines`; only the command line imports it.
"""
