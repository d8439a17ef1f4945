"""A covariance whose principal axes are not the axes of the data, for checks that must not depend on axes."""

from __future__ import annotations

import numpy as np

__all__ = ["rotated_covariance"]


def rotated_covariance(spectrum, seed: int) -> np.ndarray:
    """A covariance with these eigenvalues, and random eigenvectors from a seed."""
    spectrum = np.asarray(spectrum, dtype=float)
    basis = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(spectrum), len(spectrum))))[0]
    return (basis * spectrum) @ basis.T
