"""The old name of `theory.scores`."""

from theory.facade import facade

__getattr__, __dir__, __all__ = facade(__name__, {})
