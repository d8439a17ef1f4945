"""scikit-learn: PCA, whose leading axes and remaining variance give the optimum at beta = 1, and its covariance."""

from __future__ import annotations

import numpy as np
from sklearn.covariance import empirical_covariance
from sklearn.decomposition import PCA

from numerics.bench.problem import ClosedForm, DataMoments
from numerics.bench.timing import Contestant

__all__ = ["closed_form", "moments"]

SOLVERS = {"covariance_eigh": True, "full": True, "randomized": False}  # whether exact
FULL_DIM = 1000  # beyond it the solver of all singular values takes minutes


def closed_form(task: ClosedForm) -> list[Contestant]:
    """One contestant for each solver that takes seconds."""

    def contestant(solver, exact):
        def run():
            return PCA(task.latent_dim, svd_solver=solver, random_state=0).fit(task.data)

        return Contestant(f"sklearn {solver}", run, lambda fitted: _optimum(fitted, len(task.data)), exact=exact)

    large = task.data.shape[1] > FULL_DIM
    return [contestant(solver, exact) for solver, exact in SOLVERS.items() if not (large and solver == "full")]


def moments(task: DataMoments) -> list[Contestant]:
    """The covariance of maximum likelihood."""
    return [Contestant("sklearn empirical_covariance", lambda: [empirical_covariance(task.data)])]


def _optimum(fitted: PCA, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Decoder and noise variance of maximum likelihood: PCA divides by N - 1 and leaves the signs open."""
    noise = fitted.noise_variance_ * (count - 1) / count
    lengths = np.sqrt(fitted.explained_variance_ * (count - 1) / count - noise)
    axes = fitted.components_.T
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return axes * np.sign(largest) * lengths, np.array(noise)
