"""Everything that a data set by itself says about a linear beta-VAE with K latents: one record.

It is the closed form of `optimum` at one beta with what surrounds it: the spectrum, the beta at which each latent dies,
the noise that would be learned, and the rate and distortion beside Shannon's curve. Exact for the covariance of these
observations; how far that is from the covariance of the population is another question.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.learning.global_optimum import optimum_curve
from theory.learning.learned_noise import noise_of_minimum, thresholds
from theory.learning.water_filling import capacity_penalty
from theory.moments import Moments
from theory.spectrum import Spectrum

__all__ = ["DataReport", "data_report"]


@dataclass(frozen=True, eq=False)
class DataReport:
    """What `data_report` finds.

    Attributes
    ----------
    observations, data_dim, rank, latent_dim : int
        N, D, the number of eigenvalues above rounding, and K
    constant_columns : tuple of int
        columns without variance, from 0
    total_variance : float
    eigenvalues, explained : (D,) arrays
        descending; and the share of the total variance that the first k have together
    beta, noise_variance, water_level : float
    noise_status : str
        as in `Optimum`
    active_count : int
    critical_betas : (K,) array
        latent i is alive iff beta < beta_i
    total_collapse : float
        the largest of them: from this beta on no latent is alive
    rate, distortion, loss : float
        of the optimum; nats, squared units of the data, nats
    excess_rate : float
        nats above Shannon's curve at this distortion: what more latents could save
    learned_noise_variance : float
        that a learned noise would have at this beta, and
    learned_active_count : int
        latents that would then be alive
    learned_noise_status : str
        whether it is one: "learned", "zero" or "undetermined"

    Examples
    --------
    >>> from theory import Moments, data_report
    >>> report = data_report(Moments.of([[0.0, 1.0], [2.0, 1.0], [4.0, 4.0], [1.0, 0.0]]), latent_dim=1)
    >>> report.rank, report.active_count, round(report.total_collapse, 3)
    (2, 1, 1.845)
    """

    observations: int
    data_dim: int
    rank: int
    latent_dim: int
    constant_columns: tuple[int, ...]
    total_variance: float
    eigenvalues: np.ndarray
    explained: np.ndarray
    beta: float
    noise_variance: float
    noise_status: str
    water_level: float
    active_count: int
    critical_betas: np.ndarray
    total_collapse: float
    rate: float
    distortion: float
    loss: float
    excess_rate: float
    learned_noise_variance: float
    learned_active_count: int
    learned_noise_status: str


def data_report(
    moments: Moments, latent_dim: int, *, beta: float = 1.0, noise_variance: float | str = "learned"
) -> DataReport:
    """The optimum of a linear beta-VAE on data, with the spectrum, critical betas and noise around it. Exact.

    Parameters
    ----------
    moments : Moments
        of the data.
    latent_dim : int >= 1, K
    beta : float > 0
    noise_variance : "learned" or float > 0

    Returns
    -------
    DataReport

    Raises
    ------
    ValueError
        for an argument out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from theory import Moments, data_report
    >>> moments = Moments(count=100, mean=np.zeros(3), covariance=np.diag([4.0, 2.0, 0.6]))
    >>> report = data_report(moments, latent_dim=2, beta=1.5)
    >>> report.active_count, report.critical_betas.round(3), report.explained.round(3)
    (1, array([1.818, 1.304]), array([0.606, 0.909, 1.   ]))
    """
    moments = validation.instance("moments", moments, Moments, "pass Moments.of(data)")
    latent_dim = validation.count("latent_dim", latent_dim, minimum=1)
    beta = validation.scale("beta", beta)
    curve = optimum_curve(moments, latent_dim, [beta], noise_variance=noise_variance)
    eigenvalues, noise = curve.eigenvalues, float(curve.noise_variance[0])
    # Which eigenvalues are rounding is decided: the curve knows the digits that the data determine.
    spectrum = Spectrum(eigenvalues)
    learned = noise_of_minimum(spectrum, thresholds(spectrum, latent_dim, "learned"), np.asarray(beta))
    total = float(eigenvalues.sum())
    shares = np.cumsum(eigenvalues)
    return DataReport(
        observations=moments.count,
        data_dim=len(eigenvalues),
        rank=int(np.count_nonzero(eigenvalues)),
        latent_dim=latent_dim,
        constant_columns=tuple(np.flatnonzero(moments.variances == 0).tolist()),
        total_variance=total,
        eigenvalues=eigenvalues,
        explained=shares / shares[-1] if total else np.ones(len(eigenvalues)),
        beta=beta,
        noise_variance=noise,
        noise_status=str(curve.noise_status[0]),
        water_level=beta * noise,
        active_count=int(curve.active_count[0]),
        critical_betas=curve.critical_betas,
        total_collapse=float(curve.critical_betas[0]),
        rate=float(curve.rate[0]),
        distortion=float(curve.distortion[0]),
        loss=float(curve.loss[0]),
        excess_rate=float(capacity_penalty(eigenvalues, latent_dim, beta * noise).rate),
        learned_noise_variance=float(learned.noise_variance),
        learned_active_count=int(learned.active_count),
        learned_noise_status=str(learned.status),
    )
