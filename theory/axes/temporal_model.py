"""Factors that are correlated in time, and the data that are mixed from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.blas import dtbsv

from theory import validation
from theory.model import GenerativeModel

__all__ = ["TemporalModel"]


@dataclass(frozen=True, eq=False)
class TemporalModel:
    """Factors that are stationary AR(1) processes of variance 1, and data x_t = A s_t + n_t at each time.

    s_{t,i} = p_i s_{t-1,i} + sqrt(1 - p_i^2) e_{t,i}, noise n_t ~ N(0, tau2 I) white in time.

    Parameters
    ----------
    loading : (D, K) array, A
    autocorrelations : (K,) array, p, strictly between -1 and 1
        correlation of each factor with itself one step earlier.
    noise_variance : float >= 0, tau2

    Raises
    ------
    ValueError
        for shapes that do not fit, a negative noise, or a process that is not stationary.

    Examples
    --------
    >>> from theory.axes import TemporalModel
    >>> model = TemporalModel([[1.0, 0.9], [0.0, 0.4]], autocorrelations=[0.9, 0.2], noise_variance=0.1)
    >>> model.lagged_covariance(1).round(3)
    array([[1.062, 0.072],
           [0.072, 0.032]])
    """

    loading: np.ndarray
    autocorrelations: np.ndarray
    noise_variance: float

    def __post_init__(self):
        loading = validation.matrix("loading", self.loading)
        autocorrelations = validation.vector("autocorrelations", self.autocorrelations, loading.shape[1])
        if np.any(np.abs(autocorrelations) >= 1):
            raise ValueError(
                f"autocorrelations must lie between -1 and 1, got {autocorrelations}; the process must be stationary"
            )
        object.__setattr__(self, "loading", loading)
        object.__setattr__(self, "autocorrelations", autocorrelations)
        object.__setattr__(self, "noise_variance", validation.non_negative("noise_variance", self.noise_variance))

    @cached_property
    def at_one_time(self) -> GenerativeModel:
        """The same data without their order in time: the data that a VAE is trained on."""
        return GenerativeModel(self.loading, self.noise_variance)

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the data at one time, S = A A^T + tau2 I, shape (D, D)."""
        return self.at_one_time.covariance

    def lagged_covariance(self, lag: int = 1) -> np.ndarray:
        """cov(x_t, x_{t-lag}) = A diag(p^lag) A^T, plus tau2 I at lag 0; symmetric, shape (D, D)."""
        lag = validation.count("lag", lag)
        if lag == 0:
            return self.covariance
        with np.errstate(over="ignore", invalid="ignore"):
            lagged = (self.loading * self.autocorrelations**lag) @ self.loading.T
        return validation.finite_result("loading", lagged)

    def sample(self, n: int, rng: np.random.Generator | int) -> tuple[np.ndarray, np.ndarray]:
        """Draw n successive times: factors of shape (n, K) and data of shape (n, D); `rng` is a generator or a seed."""
        n = validation.count("n", n, bytes_each=16 * sum(self.loading.shape))
        rng = validation.random_generator("rng", rng)
        innovations = rng.standard_normal((n, len(self.autocorrelations)))
        innovations[1:] *= np.sqrt(1 - self.autocorrelations**2)  # the first is drawn from the stationary distribution
        # s_t - p s_{t-1} = e_t at all times is one triangular system, with a band of two.
        bands = np.empty((2, n), order="F")
        bands[0] = 1.0
        factors = np.empty_like(innovations)
        for index, memory in enumerate(self.autocorrelations if n else ()):
            bands[1] = -memory
            factors[:, index] = dtbsv(1, bands, innovations[:, index], lower=1, diag=1)
        noise = np.sqrt(self.noise_variance) * rng.standard_normal((n, len(self.loading)))
        return factors, factors @ self.loading.T + noise
