"""What the controls of the explorer say: a spectrum, and the parameters of the models.

A spectrum carries the words by which a command line names it, so that the commands that the page shows give the numbers
that it shows. Chosen spectra are rounded to six digits for this reason: a shorter command line names them exactly.
"""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from numerics.data.observations import digits
from theory import Moments, optimum_curve, validation
from theory.interface.observations import Observations, read_observations

__all__ = ["Settings", "Source", "chosen_spectrum", "digits_spectrum", "given_spectrum", "rounded", "uploaded_spectrum"]

DIGITS = 6  # of the eigenvalues of a chosen spectrum
SPECTRA = ("geometric", "flat")


@dataclass(frozen=True, eq=False)
class Source:
    """Eigenvalues (D,) of a data covariance, descending, what they are, and the words that name them in a command."""

    about: str
    eigenvalues: np.ndarray
    words: str

    @property
    def largest(self) -> float:
        return float(self.eigenvalues[0])


@dataclass(frozen=True, eq=False)
class Settings:
    """The parameters of all panels.

    Attributes
    ----------
    source : Source
    latent_dim : int, K
        the number of latents, and of the factors of the true model.
    beta : float > 0
    noise_variance : float > 0
        s2 of the decoder, unless it is learned, and tau2 of the true model.
    learned : bool
        whether the decoder learns its noise.
    coherence : float in [0, 1)
        cosine of the angle between each two columns of the true loading.
    correlation : float in [0, 1)
        of the true factors 1 and 2, 3 and 4, and so on; other pairs are independent.
    """

    source: Source
    latent_dim: int
    beta: float
    noise_variance: float
    learned: bool
    coherence: float
    correlation: float

    @property
    def decoder_noise(self) -> float | str:
        return "learned" if self.learned else self.noise_variance


def rounded(value: float, digits: int = 3) -> float:
    """A number with so many significant digits, which is how the page and the commands write it."""
    return float(f"{value:.{digits}g}")


def chosen_spectrum(kind: str, data_dim: int, decay: float) -> Source:
    """A spectrum whose largest eigenvalue is 1: "geometric", l_i = decay^(i - 1), or "flat", all equal.

    Raises
    ------
    ValueError
        for another kind, fewer than one dimension, or a decay outside (0, 1].
    """
    validation.choice("kind", kind, SPECTRA)
    data_dim = validation.count("data_dim", data_dim, minimum=1)
    if not 0 < decay <= 1:
        raise ValueError(
            f"decay must be above 0 and at most 1, got {decay}; pass the ratio of neighbouring eigenvalues"
        )
    powers = np.arange(data_dim) if kind == "geometric" else np.zeros(data_dim)
    values = [rounded(value, DIGITS) for value in decay**powers]
    about = f"ℓᵢ = {decay:g}^(i − 1)" if kind == "geometric" else "all eigenvalues are 1"
    return Source(f"{about}, i = 1 to {data_dim}", np.array(values), f"--eigenvalues {_listed(values)}")


def digits_spectrum() -> Source:
    """The spectrum of scikit-learn's digits, 64 pixels, with all its digits."""
    eigenvalues = _eigenvalues(Moments.of(digits()))
    return Source("8 × 8 pixels of 1797 handwritten digits", eigenvalues, f"--eigenvalues {_listed(eigenvalues)}")


def given_spectrum(observations: Observations, words: str) -> Source:
    """The spectrum of a user's observations, which `words` name in a command line.

    Raises
    ------
    ValueError
        if they cannot be read as numbers, or do not vary.
    """
    moments = observations.moments()
    eigenvalues = _eigenvalues(moments)
    name = Path(observations.source).name
    if not eigenvalues.size or not eigenvalues[0] > 0:
        raise ValueError(f"{name}: must vary, all its columns are constant; pass other data")
    without = f", without {', '.join(observations.left_out)}" if observations.left_out else ""
    return Source(f"{name}: {moments.count} × {moments.data_dim}{without}", eigenvalues, words)


def uploaded_spectrum(name: str, content: bytes) -> Source:
    """The spectrum of the observations in a file that came through the browser, by its name and content.

    Raises
    ------
    ValueError
        as `given_spectrum`, naming the file without a folder.
    """
    name = Path(name.replace("\\", "/")).name
    name = name if Path(name).suffix else "data"  # such as "..", which is a folder
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(content)
        try:
            return given_spectrum(read_observations(file), f"--data {shlex.quote(name)}")
        except ValueError as error:
            raise ValueError(str(error).replace(f"{folder}/", "")) from None


def _eigenvalues(moments: Moments) -> np.ndarray:
    """As `optimum_curve` computes them, of which those that are zero up to rounding are zero."""
    return optimum_curve(moments, 0, [1.0]).eigenvalues


def _listed(values: Sequence[float]) -> str:
    return ",".join(f"{float(value)!r}" if value % 1 else f"{value:.0f}" for value in values)
