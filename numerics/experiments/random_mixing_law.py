"""Inference errors under random mixing by quadrature of Marchenko and Pastur's law.

The experiment for `theory.inference.random_mixing_errors`, whose closed forms it does not use: eigenvalue by eigenvalue
of A^T A / tau2 the errors are elementary, and averages over the law of the eigenvalues are integrals.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

__all__ = ["beta_by_law", "errors_by_law"]


def beta_by_law(aspect: float, signal_to_noise: float, bounds: tuple[float, float] = (0.3, 5.0)) -> float:
    """The beta of the least forward KL, by search between two bounds, to about 1e-8."""
    return float(
        minimize_scalar(
            lambda beta: errors_by_law(aspect, signal_to_noise, beta)["forward_kl"],
            bounds=bounds,
            method="bounded",
            options={"xatol": 1e-9},
        ).x
    )


def errors_by_law(aspect: float, signal_to_noise: float, beta: float) -> dict[str, float]:
    """Errors per factor, as averages over the eigenvalues x of A^T A / tau2; each factor has the variance d of q.

    In a mode the code has the mean (x s + sqrt(x) n)/(x + beta), with s the factor and n the noise, and the true
    posterior the mean (x s + sqrt(x) n)/(x + 1) and the precision 1 + x.
    """
    d = beta / (beta + signal_to_noise)

    def mean(function: Callable) -> float:
        return _mean_by_law(aspect, signal_to_noise, function)

    squared_error = mean(lambda x: (beta**2 + x) / (x + beta) ** 2)
    information = mean(np.log1p)
    distance = mean(lambda x: x * (1 - beta) ** 2 / (x + beta) ** 2)  # times the precision
    precision = mean(lambda x: 1 + x)
    log_score = -(np.log(2 * np.pi * d) + squared_error / d) / 2
    return {
        "mean_squared_error": squared_error,
        "forward_kl": (information - np.log(2 * np.pi * np.e)) / 2 - log_score,
        "reverse_kl": (precision * d + distance - 1 - np.log(d) - information) / 2,
        "log_score": log_score,
    }


def _mean_by_law(aspect: float, ratio: float, function: Callable) -> float:
    """The average over Marchenko and Pastur's law: a density between two ends, and for c > 1 an atom at zero."""
    middle, half = ratio * (1 + aspect), 2 * ratio * np.sqrt(aspect)

    def integrand(angle: float) -> float:
        x = middle + half * np.cos(angle)
        return function(x) * (half * np.sin(angle)) ** 2 / (2 * np.pi * aspect * ratio * x)

    return max(0.0, 1 - 1 / aspect) * function(0.0) + quad(integrand, 0, np.pi, epsabs=1e-13, limit=200)[0]
