"""Judged by people: two releases side by side, blind, and what the answers say of them.

A task is drawn and asked (`sample`, `pool`, `gold` -> `task`), people answer (`order`, `answers`, `sheets`), and the
answers become a verdict (`dawid_skene`, `grades`, `agreement`, `precision`, `confidence` -> `report`).
"""
