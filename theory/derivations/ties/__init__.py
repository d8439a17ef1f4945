"""Which function of `theory` computes which formula of the book, room by room, and why some have no formula."""

from __future__ import annotations

from theory.derivations.engine.tie import Tie
from theory.derivations.ties import axes, foundations, groups, inference, learning, priors, scores

__all__ = ["TIES", "UNTIED"]

ROOMS = (foundations, inference, learning, axes, priors, groups, scores)

TIES: tuple[Tie, ...] = tuple(tie for room in ROOMS for tie in room.TIES)

# Functions of the index, with the page of their result, that are tied to no formula of it, and why.
UNTIED: dict[tuple[str, str], str] = {pair: reason for room in ROOMS for pair, reason in room.UNTIED.items()}
