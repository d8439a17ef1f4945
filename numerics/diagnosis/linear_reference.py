"""The best linear VAE on the same data at the same water level; the formulas are in `numerics.diagnosis.audit`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.learning.global_optimum import optimum
from theory.model import LinearVAE
from theory.moments import Moments

__all__ = ["LinearReference", "linear_reference", "standard_error"]


@dataclass(frozen=True, eq=False)
class LinearReference:
    """The best linear VAE on the same data at the same water level, and the audited VAE less that one.

    Attributes
    ----------
    water_level : float, t
    active_count : int
    rate : float, nats
    distortion : float
    attenuation : (K,) array, sqrt(1 - t/l_i), descending; 0 for a passive latent
    excess_rate : float, nats
    excess_distortion, excess_nats, standard_error : float or None
        None if the codes have no reconstructions. `excess_nats` is `excess_distortion` / (2 t) + `excess_rate`, the
        loss divided by the weight of its KL: negative if the network won. `standard_error` is of `excess_nats`, by the
        differences of the two VAEs at each observation.

    Examples
    --------
    >>> from numerics import Codes, audit
    >>> data = [[2.0, 0.0], [-2.0, 0.0], [0.0, 0.5], [0.0, -0.5]]
    >>> codes = Codes([[1.22], [-1.22], [0.0], [0.0]], [[0.2]] * 4, squared_error=[0.55] * 4)
    >>> linear = audit(codes, data=data, water_level=0.5).linear_optimum
    >>> linear.active_count, round(linear.rate, 3), round(linear.distortion, 3), round(linear.excess_nats, 3)
    (1, 0.693, 0.625, 0.009)
    """

    water_level: float
    active_count: int
    rate: float
    distortion: float
    attenuation: np.ndarray
    excess_rate: float
    excess_distortion: float | None
    excess_nats: float | None
    standard_error: float | None


def linear_reference(
    water_level, data: np.ndarray | None, kl: np.ndarray, error: np.ndarray | None, latent_dim: int
) -> LinearReference:
    """The linear optimum of the data beside codes with this KL and, if known, squared error of each observation."""
    level = validation.scale("water_level", water_level)
    if data is None:
        raise ValueError("data must be given with water_level: the linear optimum is that of the same observations")
    moments = Moments.of(data)
    best = optimum(moments, latent_dim, noise_variance=level)
    attenuation = np.sqrt(np.maximum(1 - np.diagonal(best.vae.posterior_covariance), 0.0))
    excess_rate, excess, total, error_of_total = float(kl.mean()) - best.rate, None, None, None
    if error is not None:
        excess = float(error.mean()) - best.distortion
        total = excess / (2 * level) + excess_rate
        of_vae, of_linear = error / (2 * level) + kl, _nats_of_linear(best.vae, data)
        error_of_total = standard_error(of_vae - of_linear)
    return LinearReference(
        water_level=level,
        active_count=best.active_count,
        rate=best.rate,
        distortion=best.distortion,
        attenuation=attenuation,
        excess_rate=excess_rate,
        excess_distortion=excess,
        excess_nats=total,
        standard_error=error_of_total,
    )


def _nats_of_linear(vae: LinearVAE, data: np.ndarray) -> np.ndarray:
    """Squared error / (2 s2) + KL of a linear VAE at each observation, (N,), without its constant terms."""
    centred = data - vae.mean
    means = centred @ vae.encoder.T
    missed = centred - means @ vae.decoder.T
    return np.sum(missed**2, axis=1) / (2 * vae.noise_variance) + np.sum(means**2, axis=1) / 2


def standard_error(values: np.ndarray) -> float:
    """Of the mean of numbers, one for each observation."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))
