"""The old name of `theory.scores`."""

from theory.interface.facade import facade

__getattr__, __dir__, __all__ = facade(__name__, {})
