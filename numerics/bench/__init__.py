"""The benchmark behind `python -m numerics bench`: this project against the textbook formulation in other libraries.

A peer's library is imported only when the benchmark runs; for one that is not installed a row states this.
"""
