"""The figures by name, each with what the command line needs."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from theory import validation
from theory.results import FIGURES_STAND_FOR

FORMATS = ("pdf", "png", "svg")
PNG_DPI = 130  # of a png, unless another is asked for: a figure of seven inches has 910 pixels
LOWEST_DPI, HIGHEST_DPI = 50, 1200  # text can be read; a figure of seven inches has 8,400 pixels

__all__ = [
    "FIGURES",
    "FORMATS",
    "MEASUREMENTS",
    "PNG_DPI",
    "FigureEntry",
    "checked_dpi",
    "every_figure",
    "file_name",
    "paths",
]


@dataclass(frozen=True)
class FigureEntry:
    """A figure: its name (also of its module and files), what it shows, and whether it takes the user's data.

    `share` is its part of the time of all, in percent; where several are drawn at a time the longest begin.
    """

    name: str
    about: str
    share: int = 1
    takes_data: bool = False

    @property
    def module(self) -> ModuleType:
        """The module with `LAYOUT`, `CAPTION`, `data` and `plot`; imported only when it is needed."""
        return importlib.import_module(f"figures.{self.name}")

    @property
    def stands_for(self) -> str:
        """The figure or table of a paper that it stands for, or its setting, from the index of results."""
        return FIGURES_STAND_FOR[self.name]


FIGURES = {
    entry.name: entry
    for entry in (
        FigureEntry("inference_error", "the four inference errors against beta, minima marked", 7),
        FigureEntry("optimal_beta", "the optimal beta against coherence, signal, noise mismatch and random mixing", 14),
        FigureEntry("learned_inference_error", "inference error of the learned VAE against beta", 1),
        FigureEntry("collapse", "weights, posterior variances and active latents against beta", 2, takes_data=True),
        FigureEntry("rate_distortion", "Shannon's curve of the data, and VAEs on it", 2, takes_data=True),
        FigureEntry("learned_noise", "the learned noise against beta", 2, takes_data=True),
        FigureEntry("convergence", "loss above the closed form against iterations, for every way to train", 7),
        FigureEntry("rotation_energy", "loss along a rotation, and where training ends", 1),
        FigureEntry(
            "degenerate_spectrum", "distance to orthogonality of three linear models, after and during training", 12
        ),
        FigureEntry("priors_and_axes", "what a rotation costs under each prior, Gaussian and other factors", 10),
        FigureEntry("decomposition", "overlap and alignment of codes, sparsity and reconstruction against alpha", 8),
        FigureEntry(
            "granularity",
            "inference error against group size: the V, the W, where they hold, by block size",
            20,
        ),
        FigureEntry("granularity_trajectory", "the best ELBO over weight, capacity and group size", 7),
        FigureEntry("total_correlation", "parts of the rate under a penalty between groups, minibatch estimates", 6),
        FigureEntry("hiding_factors", "scores against the size of a change that hides the factors, images of it", 3),
    )
}

# Of times on this machine, which differ from run to run: drawn only when they are named.
MEASUREMENTS = {entry.name: entry for entry in (FigureEntry("growth", "how cost grows with size, on this machine"),)}


def checked_dpi(name: str, dpi: int) -> int:
    """Return `dpi` if it is a whole number from 50 to 1200."""
    return validation.count(name, dpi, LOWEST_DPI, HIGHEST_DPI)


def file_name(name: str, panel: str | None) -> str:
    """The name of the files of a figure, or of one of its panels."""
    return name if panel is None else f"{name}_{panel}"


def paths(folder: Path, name: str, formats: Iterable[str]) -> dict[str, Path]:
    """Where the files of a figure go, by extension: NAME.FORMAT for every format, NAME.csv, NAME.json and NAME.md."""
    return {extension: folder / f"{name}.{extension}" for extension in (*formats, "csv", "json", "md")}


def every_figure() -> dict[str, FigureEntry]:
    """The figures of results, and those of measurements."""
    return FIGURES | MEASUREMENTS
