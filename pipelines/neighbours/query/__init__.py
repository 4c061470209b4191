"""The plan of a query: candidates, categories, ranking, and the searcher that runs it."""
