"""The figures by name, each with what the command line needs."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType

FORMATS = ("pdf", "png", "svg")

__all__ = ["FIGURES", "FORMATS", "FigureEntry"]


@dataclass(frozen=True)
class FigureEntry:
    """A figure: its name (also of its module and files), what it shows, and whether it takes the user's data."""

    name: str
    about: str
    takes_data: bool = False

    @property
    def module(self) -> ModuleType:
        """The module with `LAYOUT`, `data` and `plot`; imported only when it is needed."""
        return importlib.import_module(f"figures.{self.name}")


FIGURES = {
    entry.name: entry
    for entry in (
        FigureEntry("inference_error", "the four inference errors against beta, minima marked"),
        FigureEntry("optimal_beta", "the optimal beta against coherence, signal, noise mismatch and random mixing"),
        FigureEntry("learned_inference_error", "inference error of the learned VAE against beta"),
        FigureEntry("collapse", "weights, posterior variances and active latents against beta", takes_data=True),
        FigureEntry("rate_distortion", "Shannon's curve of the data, and VAEs on it", takes_data=True),
        FigureEntry("learned_noise", "the learned noise against beta", takes_data=True),
        FigureEntry("convergence", "loss above the closed form against iterations, for every way to train"),
        FigureEntry("rotation_energy", "loss along a rotation, and where training ends"),
        FigureEntry(
            "degenerate_spectrum", "distance to orthogonality of three linear models, after and during training"
        ),
        FigureEntry("priors_and_axes", "what a rotation costs under each prior, Gaussian and other factors"),
        FigureEntry("decomposition", "overlap and alignment of codes, sparsity and reconstruction against alpha"),
        FigureEntry(
            "granularity", "inference error against group size: the V, the W, where they hold, factors by block size"
        ),
        FigureEntry("granularity_trajectory", "the best ELBO over weight, capacity and group size"),
        FigureEntry("total_correlation", "parts of the rate under a penalty between groups, and minibatch estimates"),
        FigureEntry("hiding_factors", "scores against the size of a change that hides the factors, and images of it"),
    )
}
