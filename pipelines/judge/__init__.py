"""Judged by people: two releases side by side, blind, and what the answers say of them.

A task is drawn and asked (`choice`, `candidates`, `sample`, `pool`, `gold`, `preparation` -> `task`), people answer
(`order`, `answers`, `sheets`), and the answers become a verdict (`dawid_skene`, `scores`, `grades`, `agreement`,
`precision`, `confidence` -> `report`).
"""
