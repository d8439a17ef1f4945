"""What the words of `noise_status` mean that do not speak for themselves, for people who read a table."""

from __future__ import annotations

import numpy as np

__all__ = ["noise_words"]

MEANINGS = {
    "zero": "the loss falls without bound as the noise vanishes, so that there is no optimum: use fewer latents, a "
    "larger beta, or a fixed noise",
    "undetermined": "every noise up to a largest one is as good, and training holds none of them: fix the noise, use "
    "fewer latents, or change beta",
}


def noise_words(statuses, name: str = "noise_status") -> str:
    """One line for each such status that occurs, to put below a table in which it has this name."""
    found = set(np.ravel(statuses))
    return "".join(f"\n{name} {word}: {meaning}" for word, meaning in MEANINGS.items() if word in found)
