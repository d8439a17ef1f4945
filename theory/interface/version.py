"""The version of the project: the only place that states it, besides the CHANGELOG and CITATION.cff."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
