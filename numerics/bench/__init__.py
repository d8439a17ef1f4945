"""The benchmark behind `python -m numerics bench`: this project against the textbook formulation in other libraries.

A peer's library is imported only when the benchmark runs; one that is not installed becomes a row that says so.
"""
