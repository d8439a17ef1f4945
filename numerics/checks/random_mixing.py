"""Checks of the limit of large random loadings: the law of their spectrum by quadrature, and drawn loadings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from numerics.checks.inference import trained_encoder
from numerics.comparison import Budget, Comparison, compare
from numerics.experiments.random_mixing_law import beta_by_law, errors_by_law
from numerics.sampling.cubature import errors_by_cubature
from numerics.sampling.estimate import Estimate
from theory import inference
from theory.inference.errors_along_beta import CRITERIA
from theory.model import GenerativeModel

__all__ = ["CHECKS"]


def random_mixing(budget: Budget) -> Iterator[Comparison]:
    """The limit by quadrature of Marchenko and Pastur's law, with its atom at zero for c > 1; and finite loadings."""
    ratio, beta = 4.0, 1.7
    for aspect in (0.5, 2.0):
        limit = inference.random_mixing_errors(aspect, ratio, beta)
        for criterion, value in errors_by_law(aspect, ratio, beta).items():
            exact = float(getattr(limit, criterion))
            yield compare(f"{criterion} per factor by the law, c = {aspect}", exact, trained=value, tolerance=1e-9)
        found = beta_by_law(aspect, ratio)
        for criterion in CRITERIA:
            best = {"mean_squared_error": 1.0, "reverse_kl": 1.0}.get(criterion, found)  # the truth's own weight
            stated = inference.random_mixing_optimal_beta(aspect, ratio, criterion)
            yield compare(f"beta*, {criterion} by the law, c = {aspect}", stated, trained=best, tolerance=1e-5)
        exact = inference.random_mixing_optimal_beta(aspect, ratio)
        yield compare(f"beta* by the law, c = {aspect}", exact, trained=found, tolerance=1e-5)
    weak = inference.random_mixing_errors(0.5, 0.05, beta)  # a signal much weaker than the noise
    for criterion, value in errors_by_law(0.5, 0.05, beta).items():
        exact = float(getattr(weak, criterion))
        yield compare(f"{criterion} per factor by the law, a weak signal", exact, trained=value, tolerance=1e-9)
    loading = inference.random_mixing_loading(400, 200, ratio, 0.3, np.random.default_rng(105))
    squares = Estimate.of(400 * np.mean(loading**2, axis=1))
    yield compare("variance of an entry times D", ratio * 0.3, monte_carlo=squares)
    yield from _finite_loadings(0.5, ratio, beta, budget)


def _finite_loadings(aspect: float, ratio: float, beta: float, budget: Budget) -> Iterator[Comparison]:
    """Drawn loadings of D and 2 D rows: averages are off by order 1/D, twice the second less the first by 1/D^2."""
    data_dim, draws = (40, 30) if budget.quick else (60, 60)
    rng = np.random.default_rng(103)
    limit = inference.random_mixing_errors(aspect, ratio, beta)
    extrapolated: dict[str, list[float]] = {criterion: [] for criterion in CRITERIA}
    for _ in range(draws):
        small, large = (_finite_errors(aspect, ratio, beta, size, rng) for size in (data_dim, 2 * data_dim))
        for criterion, values in extrapolated.items():
            values.append(2 * large[criterion] - small[criterion])
    for criterion, values in extrapolated.items():
        exact = float(getattr(limit, criterion))
        # The next order, with a coefficient of order one.
        yield compare(f"{criterion} per factor", exact, monte_carlo=Estimate.of(values), bias=1 / data_dim**2)
    loadings = [inference.random_mixing_loading(data_dim, int(aspect * data_dim), ratio, 1.0, rng) for _ in range(12)]
    betas = Estimate.of([inference.optimal_beta(GenerativeModel(loading, 1.0)).beta for loading in loadings])
    exact = inference.random_mixing_optimal_beta(aspect, ratio)
    yield compare("beta*, forward_kl", exact, monte_carlo=betas, bias=1 / data_dim)


def _finite_errors(aspect: float, ratio: float, beta: float, data_dim: int, rng) -> dict[str, float]:
    """Errors per factor of an encoder trained for a drawn loading."""
    latent_dim = int(aspect * data_dim)
    truth = GenerativeModel(inference.random_mixing_loading(data_dim, latent_dim, ratio, 1.0, rng), 1.0)
    errors = errors_by_cubature(truth, trained_encoder(truth, beta))
    return {criterion: errors[criterion] / latent_dim for criterion in CRITERIA}


CHECKS = {"random_mixing": random_mixing}
