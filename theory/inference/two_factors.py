"""Two factors of equal norm, the smallest case with a finite optimal beta: an algebraic equation for it.

Loading with A^T A / tau2 = a [[1, r], [r, 1]] (a the signal-to-noise ratio, r the coherence of the columns), Gamma = I,
the truth's decoder and noise, diagonal posterior. With g = a (1 + r), h = a (1 - r) the forward KL per factor is

    J(beta) = 1/2 [ log(beta/(beta+a)) + E(beta) (beta+a)/beta ] + const,
    E(beta) = 1/2 [ (beta^2+g)/(beta+g)^2 + (beta^2+h)/(beta+h)^2 ],

and J' = 0 is a polynomial equation of degree 7 in beta. It can have three positive roots, two of them minima, so the
optimum is found by comparing J over all of them. For weakly coherent columns

    beta* = 1 + r^2 a^2 / ((1+a)(2+a)) + O(r^4).
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import Polynomial

from theory import validation
from theory.minimise import global_minimum

__all__ = ["small_coherence_beta", "two_factor_loading", "two_factor_optimal_beta", "two_factor_polynomial"]

DECADES = 30  # the signal-to-noise ratio lies between 1e-30 and 1e30: its eighth power is a coefficient
GRID_POINTS_PER_DECADE = 24
GRID_MARGIN = 1e6  # minima are searched within this factor of 1 and of the signal-to-noise ratio


def two_factor_loading(signal_to_noise: float, coherence: float, noise_variance: float = 1.0) -> np.ndarray:
    """A 2 x 2 loading with A^T A = tau2 a [[1, r], [r, 1]], upper triangular.

    Raises
    ------
    ValueError
        for a signal-to-noise ratio or noise that is not positive, or a coherence outside [-1, 1].

    Examples
    --------
    >>> from theory.inference import two_factor_loading
    >>> loading = two_factor_loading(4.0, coherence=0.5)
    >>> (loading.T @ loading).round(6)
    array([[4., 2.],
           [2., 4.]])
    """
    signal_to_noise, coherence = _checked(signal_to_noise, coherence)
    scale = np.sqrt(signal_to_noise * validation.scale("noise_variance", noise_variance))
    return scale * np.array([[1.0, coherence], [0.0, np.sqrt(1 - coherence**2)]])


def two_factor_polynomial(signal_to_noise: float, coherence: float) -> np.ndarray:
    """Coefficients, of beta^0 to beta^7, of the polynomial whose positive roots make the forward KL stationary.

    It is J'(beta) beta^2 (beta+a) (beta+g)^3 (beta+h)^3 times 2 and therefore has the sign of J' for beta > 0.

    Returns
    -------
    (8,) array

    Notes
    -----
    Exact, for the setting of the module; irreducible over the rationals for generic a and r.

    Examples
    --------
    >>> from theory.inference import two_factor_optimal_beta, two_factor_polynomial
    >>> best = two_factor_optimal_beta(5.0, coherence=0.8)
    >>> round(float(two_factor_polynomial(5.0, 0.8) @ [best**power for power in range(8)]) / 1e3, 6) == 0
    True
    """
    a, r = _checked(signal_to_noise, coherence)
    g, h = a * (1 + r), a * (1 - r)
    beta = Polynomial([0.0, 1.0])
    at_a, at_g, at_h = beta + a, beta + g, beta + h
    from_variance = a * beta * at_g**3 * at_h**3
    from_error = beta * at_a**2 * (beta - 1) * (g * at_h**3 + h * at_g**3)
    from_ratio = a * at_a / 2 * ((beta**2 + g) * at_g * at_h**3 + (beta**2 + h) * at_h * at_g**3)
    return (from_variance + from_error - from_ratio).coef


def two_factor_optimal_beta(signal_to_noise: float, coherence: float) -> float:
    """The beta of least forward KL: the best positive root of `two_factor_polynomial`. Exact up to rounding.

    Computed as a root of the slope itself, whose terms keep the digits that the coefficients of the polynomial lose for
    a large or small ratio.

    Examples
    --------
    >>> from theory.inference import two_factor_optimal_beta
    >>> round(two_factor_optimal_beta(5.0, coherence=0.8), 4)
    1.5515
    """
    a, r = _checked(signal_to_noise, coherence)

    def cost(betas):
        return _forward_kl(betas, a, r)

    low, high = min(1.0, a) / GRID_MARGIN, max(1.0, a) * GRID_MARGIN
    return global_minimum(cost, low, high, GRID_POINTS_PER_DECADE)


def small_coherence_beta(signal_to_noise: float, coherence: float) -> float:
    """1 + r^2 a^2/((1+a)(2+a)): the optimal beta for weakly coherent columns. Asymptotic, error O(r^4).

    Examples
    --------
    >>> from theory.inference import small_coherence_beta, two_factor_optimal_beta
    >>> round(small_coherence_beta(5.0, 0.1), 4), round(two_factor_optimal_beta(5.0, 0.1), 4)
    (1.006, 1.006)
    """
    a, r = _checked(signal_to_noise, coherence)
    return 1 + r**2 * a**2 / ((1 + a) * (2 + a))


def _forward_kl(beta: np.ndarray, a: float, r: float) -> np.ndarray:
    """The forward KL per factor up to a constant; the error in the form without cancellation."""
    kept, lost = 0.0, 0.0  # E and 1 - E
    for mode in (a * (1 + r), a * (1 - r)):
        kept = kept + (beta**2 + mode) / (beta + mode) ** 2 / 2
        lost = lost + mode * (mode + 2 * beta - 1) / (beta + mode) ** 2 / 2
    error = np.where(lost.real < 0.5, 1 - lost, kept)
    return (error * (1 + a / beta) - np.log1p(a / beta)) / 2


def _checked(signal_to_noise: float, coherence: float) -> tuple[float, float]:
    signal_to_noise = validation.scale("signal_to_noise", signal_to_noise, DECADES)
    coherence = validation.number("coherence", coherence)
    if not -1 <= coherence <= 1:
        raise ValueError(
            f"coherence must be between -1 and 1 (it is a cosine), got {coherence!r}; normalise the columns"
        )
    return signal_to_noise, coherence
