"""The version of the project; only the CHANGELOG and CITATION.cff repeat it."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
