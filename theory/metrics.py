"""The old name of `theory.scores`, kept for those who import it; nothing is here (`theory.interface.old_names`)."""

from theory.interface.facade import facade

__getattr__, __dir__, __all__ = facade(__name__, {})
