"""Whether a progress bar is shown: what the argument `progress` of an experiment means to tqdm."""

from __future__ import annotations

from theory import validation

__all__ = ["hidden"]


def hidden(progress: bool | None) -> bool | None:
    """The `disable` of tqdm for an argument `progress`; None, for both, shows a bar where stderr is a terminal."""
    return None if progress is None else not validation.flag("progress", progress)
