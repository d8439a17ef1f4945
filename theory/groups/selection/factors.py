"""The covariance of the factors, estimated through a fixed decoder, with its error.

There are N data points x = W s + mean + n in D dimensions, of covariance S: K factors s of covariance Gamma, noise n ~
N(0, s2 I), and W of full column rank with the pseudo-inverse W^+. y = W^+ x is sufficient for Gamma, and has the
covariance M = Gamma + R, R = s2 (W^T W)^-1; so

    estimate    Gamma^ = W^+ S W^+^T - R, the least-squares and (where it is positive definite) maximum likelihood one
    its error   N cov(Gamma^_ij, Gamma^_kh) -> sqrt(f_ij f_kh) [M_ik M_jh + M_ih M_jk  (+ 2 R_ij R_kh / (D - K) if s2 is
                estimated too)]

Unbiased up to 1/N for any data of this form. The ratios f are 1 for Gaussian data. From observations they are estimated
(`theory.groups.selection.fourth_moments`), so that the error of each entry is right for any fourth moments; the errors
of different entries are assumed to be correlated as for Gaussian data. To leading order in 1/N.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from theory import validation
from theory.groups.selection.data_through_decoder import LARGEST, View
from theory.groups.selection.fourth_moments import FourthMoments
from theory.groups.selection.model_fit import ModelFit, fit_of_model
from theory.moments import Moments

__all__ = ["FactorEstimate", "estimate_factors"]


@dataclass(frozen=True, eq=False)
class FactorEstimate:
    """The estimated covariance of the factors, seen through a fixed decoder.

    Attributes
    ----------
    count : int, N
    covariance : (K, K) array, Gamma^; not positive definite where the noise hides a direction
    noise : (K, K) array, R
    noise_variance : float, s2
    residual_freedom : float
        D - K if the noise was estimated; infinite if it was given.
    noise_deviation : float
        standard errors between the given noise and that outside the decoder's range; 0 if either is missing.
    fourth_moments : (K, K) array, f
        ratio of the squared error of each entry to that of Gaussian data; all 1 if only `Moments` were given.
    fit : ModelFit
        tests of the decoder and the noise.

    Examples
    --------
    >>> from theory import Moments
    >>> from theory.groups import estimate_factors
    >>> moments = Moments(2000, [0.0, 0.0, 0.0], [[1.1, 0.6, 0.0], [0.6, 1.1, 0.0], [0.0, 0.0, 0.1]])
    >>> estimate = estimate_factors(moments, [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    >>> round(estimate.noise_variance, 3), estimate.error_covariance([0], [1]).round(6)
    (0.1, array([[0.000785]]))
    """

    count: int
    covariance: np.ndarray
    noise: np.ndarray
    noise_variance: float
    residual_freedom: float
    noise_deviation: float
    fourth_moments: np.ndarray
    fit: ModelFit

    def error_covariance(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Covariance of the estimates of the entries (rows[a], columns[a]), to leading order in 1/N.

        Parameters
        ----------
        rows, columns : integer arrays of one length, each entry from 0 to K - 1
        """
        rows, columns = (self._indices(name, value) for name, value in (("rows", rows), ("columns", columns)))
        if len(rows) != len(columns):
            raise ValueError(f"columns must be as many as rows, got {len(columns)} for {len(rows)}; pass equal lengths")
        seen = self.covariance + self.noise
        i, j, k, h = rows[:, None], columns[:, None], rows, columns
        shared = np.outer(self.noise[rows, columns], self.noise[rows, columns])
        root = np.sqrt(self.fourth_moments[rows, columns] / self.count)
        gaussian = seen[i, k] * seen[j, h] + seen[i, h] * seen[j, k] + 2 * shared / self.residual_freedom
        return gaussian * np.outer(root, root)

    def standardised(self) -> FactorEstimate:
        """The same in units in which each y_j has variance 1 (or 0)."""
        variances = np.diagonal(self.covariance + self.noise)
        units = np.sqrt(np.where(variances > 0, variances, 1.0))
        units = np.outer(units, units)
        return replace(self, covariance=self.covariance / units, noise=self.noise / units)

    def _indices(self, name: str, values) -> np.ndarray:
        largest = len(self.covariance) - 1
        indices = [validation.count(name, value, maximum=largest) for value in validation.sequence(name, values, 0)]
        return np.array(indices, dtype=int)


def estimate_factors(moments, decoder, noise_variance: float | str = "learned") -> FactorEstimate:
    """The covariance of the factors, Gamma^ = W^+ S W^+^T - s2 (W^T W)^-1, with its error and a test of the model.

    Parameters
    ----------
    moments : Moments, or (N, D) array of observations, N >= 2
        with observations the errors account for fourth moments; with `Moments` Gaussian data are assumed.
    decoder : (D, K) array, of rank K
    noise_variance : "learned" or float >= 0
        learned from the data outside the decoder's range, which needs D > K.

    Returns
    -------
    FactorEstimate

    Raises
    ------
    ValueError
        if the decoder does not have full column rank, `moments` has no count, or the noise cannot be learned.

    Notes
    -----
    Unbiased up to 1/N for any data of this form; errors to leading order in 1/N.

    Examples
    --------
    >>> from theory import Moments
    >>> from theory.groups import estimate_factors
    >>> moments = Moments(2000, [0.0, 0.0, 0.0], [[1.1, 0.6, 0.0], [0.6, 1.1, 0.0], [0.0, 0.0, 0.1]])
    >>> estimate_factors(moments, [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]).covariance.round(3)
    array([[1. , 0.6],
           [0.6, 1. ]])
    """
    data, moments = (None, moments) if isinstance(moments, Moments) else _observations(moments)
    if moments.count < 2:
        raise ValueError(
            f"moments must have a count of at least 2 observations, got {moments.count}; use Moments.of(data)"
        )
    covariance = validation.covariance_matrix("covariance of moments", moments.covariance)
    view = View.of(validation.matrix("decoder", decoder, (len(covariance), None)), covariance)
    spare, learned = len(view.variances), isinstance(noise_variance, str)
    outside = float(view.variances.mean()) if spare else 0.0
    if learned:
        validation.choice("noise_variance", noise_variance, ("learned",))
        if not spare:
            raise ValueError("noise_variance cannot be learned with as many factors as data dimensions; pass a number")
        variance = outside
    else:
        variance = validation.non_negative("noise_variance", noise_variance)
    with np.errstate(over="ignore"):
        noise = variance * view.spread
    if not noise.max() <= LARGEST:
        raise ValueError(
            f"noise_variance must fit the data, got {variance!r}: the noise of a factor would have variance "
            f"{noise.max():.3g}; pass a smaller number"
        )
    if data is None:
        fourth = FourthMoments.gaussian(len(noise))
    else:
        units = np.outer(*[np.sqrt(np.diagonal(view.seen))] * 2)
        share = np.divide(noise, units, out=np.zeros(noise.shape), where=units > 0)
        fourth = FourthMoments.of(data, moments.mean, view, learned * share)
    deviation = 0.0
    if spare and not learned and variance != outside:
        with np.errstate(divide="ignore", over="ignore"):
            deviation = (np.divide(outside, variance) - 1) * np.sqrt(moments.count * spare / (2 * fourth.noise))
    return FactorEstimate(
        count=moments.count,
        covariance=view.seen - noise,
        noise=noise,
        noise_variance=variance,
        residual_freedom=float(spare) if learned else np.inf,
        noise_deviation=float(deviation),
        fourth_moments=fourth.factors,
        fit=fit_of_model(
            moments.count,
            view.inside.T @ covariance @ view.outside,
            view.variances,
            None if learned else variance,
            fourth,
        ),
    )


def _observations(values) -> tuple[np.ndarray, Moments]:
    data = validation.matrix("moments", values)
    try:
        return data, Moments.of(data)
    except ValueError as error:
        raise ValueError(f"moments, from observations: {error}") from None
