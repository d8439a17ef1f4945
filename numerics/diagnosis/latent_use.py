"""What each latent of any VAE does, by its codes; the formulas are in `numerics.diagnosis.audit`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.diagnosis.codes import Codes
from theory.axes.polarized import PolarizedKL

__all__ = ["LatentUse", "latent_use", "polarized_rate"]

COLLAPSED = 0.01  # nats at an observation, below which its posterior counts as the prior
MOST, FEW = 0.95, 0.05  # shares of the observations at which a passive latent has collapsed at least, an active at most
STILL = 1e-12  # relative variation over observations up to which a posterior is the same everywhere


@dataclass(frozen=True, eq=False)
class LatentUse:
    """What each latent does; arrays of shape (K,).

    Attributes
    ----------
    kl : nats
    mean_variance : variance over observations of the posterior mean
    posterior_variance : mean over observations of the posterior variance
    attenuation : correlation of the mean code with the sampled code, 0 to 1
    collapsed_share : share of the observations at which the KL is below .01 nats
    active : booleans, `mean_variance` above the threshold
    regime : "active", "passive", "mixed" or "constant", see the module

    Examples
    --------
    >>> from numerics import Codes, audit
    >>> use = audit(Codes([[2.0, 0.0], [-2.0, 0.0]], [[0.1, 1.0], [0.1, 1.0]])).latents
    >>> use.regime, use.attenuation.round(3)
    (('active', 'passive'), array([0.988, 0.   ]))
    """

    kl: np.ndarray
    mean_variance: np.ndarray
    posterior_variance: np.ndarray
    attenuation: np.ndarray
    collapsed_share: np.ndarray
    active: np.ndarray
    regime: tuple[str, ...]


def latent_use(codes: Codes, kl: np.ndarray, threshold: float) -> LatentUse:
    """What each latent does, from its codes and their KL, (N, K); active above a threshold of the mean's variance."""
    mean_variance, posterior_variance = codes.mean.var(axis=0), codes.variance.mean(axis=0)
    collapsed = np.mean(kl < COLLAPSED, axis=0)
    still = (mean_variance <= STILL * posterior_variance) & (codes.variance.std(axis=0) <= STILL * posterior_variance)
    regime = np.select([collapsed >= MOST, still, collapsed <= FEW], ["passive", "constant", "active"], default="mixed")
    return LatentUse(
        kl=kl.mean(axis=0),
        mean_variance=mean_variance,
        posterior_variance=posterior_variance,
        attenuation=np.sqrt(mean_variance / (mean_variance + posterior_variance)),
        collapsed_share=collapsed,
        active=mean_variance > threshold,
        regime=tuple(regime.tolist()),
    )


def polarized_rate(codes: Codes, latents: LatentUse) -> PolarizedKL:
    """As `theory.axes.polarized_kl`, for a posterior variance that depends on x."""
    exact = float(latents.kl.sum())
    terms = np.mean(codes.mean**2 - codes.log_variance - 1, axis=0) / 2
    approximate = float(terms[latents.active].sum())
    return PolarizedKL(exact, approximate, (approximate - exact) / exact if exact > 0 else np.nan)
