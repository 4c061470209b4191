"""Releases judged by people: tasks of the store, photos of what they show, and the answers that raters give."""
