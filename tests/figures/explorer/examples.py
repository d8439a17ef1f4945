"""Settings of the explorer for its tests, and what the commands print that it shows."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
from importlib import import_module

import numpy as np

from figures.explorer.settings import Settings, chosen_spectrum, digits_spectrum


def settings(source=None, **changes) -> Settings:
    """The settings of the page when it opens, with changes."""
    source = chosen_spectrum("geometric", 20, 0.7) if source is None else source
    opened = {
        "latent_dim": 6, "beta": 2.0, "noise_variance": 0.1, "learned": False, "coherence": 0.5, "correlation": 0.6,
    }  # fmt: skip
    return Settings(source, **(opened | changes))


CASES = {
    "as it opens": settings(),
    "learned noise": settings(learned=True, beta=1.3),
    "small beta, orthogonal": settings(beta=0.4, coherence=0.0, correlation=0.0, latent_dim=4),
    "digits": settings(digits_spectrum(), latent_dim=5, noise_variance=3.7, beta=4.2),
    "flat": settings(chosen_spectrum("flat", 5, 1.0), latent_dim=3, beta=3.0),
    "all collapsed": settings(beta=50.0),
}


def printed(command: str):
    """What a command line of the page prints: the JSON of a command, or the numbers of a piece of Python."""
    python, option, what, *words = shlex.split(command)
    assert python == "python"
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        if option == "-c":
            assert not words
            exec(compile(what, "command", "exec"), {})
        else:
            assert import_module(f"{what}.__main__").main([*words, "--json"]) == 0
    if option == "-m":
        return json.loads(text.getvalue())
    return np.array(text.getvalue().strip("[]\n").replace(",", " ").split(), dtype=float)
