"""Set up the project's environment.

Owns what must work before anything is installed: finding an interpreter, repairing wheels, filling `.venv`. It needs
only the standard library of Python 3.9 or later, and knows nothing of the pipeline.
"""
