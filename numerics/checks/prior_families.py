"""Checks of the families of priors: densities, draws, moments, quadrature, symmetries, normalisers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.integrate import quad
from scipy.linalg import block_diag

from numerics.checks.axes import BETA
from numerics.checks.differences import SHIFTS, slope_of
from numerics.checks.priors import CODE, CORRELATED, FAMILIES, OwnPrior
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.cubature import points_of_normal
from numerics.sampling.estimate import Estimate
from numerics.sampling.prior_expectations import LogDensity, expected_log_density, scipy_log_density
from theory import axes, priors
from theory.priors.protocol import expectation_and_slopes

__all__ = ["CHECKS"]

STUDENTS = {f"student {nu:g}": priors.StudentPrior(nu, 2) for nu in (7.0, 40.0)}
MORE = STUDENTS | {"correlated": priors.GaussianPrior(CORRELATED)}
NEARLY_ONE = 1 - 5e-6  # a correlation, within a step of differences of one
SINGULAR = np.array([[1.0, 0.5 * NEARLY_ONE], [0.5 * NEARLY_ONE, 0.25]])  # covariance of a code, up to such a step
MEAN = np.array([0.4, -0.7])  # of a code, on the far side of one diagonal of the plane
TOWARDS = np.array([-1.1, 0.6])  # a direction for slopes in the mean


def prior_families(budget: Budget) -> Iterator[Comparison]:
    """Densities, draws, moments, quadrature and symmetries of each family, and the ways to make a Gaussian prior."""
    yield from _gaussian_priors()
    rng = np.random.default_rng(309)
    for name, prior in (FAMILIES | MORE).items():
        log_density_of, points = scipy_log_density(prior), 1.5 * rng.standard_normal((50, 2))
        points[0] = 0.0  # where the mean of a code is that of the prior
        stated = log_density_of(points)
        yield compare_arrays(f"log density, {name}", prior.log_density(points), stated, 1e-10)
        places, masses, mean = prior.nodes(200)
        drawn = prior.sample(budget.samples, rng)
        yield compare(f"mean log density of draws, {name}", mean, monte_carlo=Estimate.of(log_density_of(drawn)))
        yield compare(f"mass of the nodes, {name}", float(masses.sum()), trained=1.0, tolerance=1e-9)
        yield compare(f"mean log density, {name}", mean, trained=float(masses @ log_density_of(places)), tolerance=1e-5)
        if np.isfinite(prior.covariance).all():
            squares = Estimate.of(np.mean(drawn**2 / np.diagonal(prior.covariance), axis=1))
            yield compare(f"variance of draws in that of the prior, {name}", 1.0, monte_carlo=squares)
            moments = (places * masses[:, np.newaxis]).T @ places
            yield compare_arrays(f"covariance, {name}", prior.covariance, moments, 1e-5)
        yield from _of_a_code(name, prior, prior)
        yield from _of_points(name, prior, log_density_of, points)
        turned = log_density_of(points @ prior.symmetries(rng).T)
        yield compare_arrays(f"log density after a symmetry, {name}", stated, turned, 1e-10)
        matrices = (prior.symmetries(rng), axes.plane_rotation(2, 0.5), [[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0]] * 2)
        found = [float(prior.is_symmetry(matrix)) for matrix in matrices]
        changes = [np.abs(log_density_of(points @ np.transpose(matrix)) - stated).max() < 1e-9 for matrix in matrices]
        yield compare_arrays(f"symmetries, {name}", found, changes, 0.0)
    own, known = OwnPrior(), FAMILIES["student"]
    yield from _of_a_code("a prior of one's own", own, known)
    yield from _of_a_code("a prior of one's own, nearly singular", own, known, covariance=SINGULAR, tolerance=5e-4)


def _of_a_code(name: str, prior, known, *, covariance=None, tolerance: float = 1e-7) -> Iterator[Comparison]:
    """E log p of a code away from zero, as that of the `known` prior, and slopes in some direction, by differences."""
    covariance, step = np.array([[0.5, 0.1], [0.1, 0.3]]) if covariance is None else covariance, 1e-3
    value, to_mean, to_covariance = expectation_and_slopes(prior, MEAN[np.newaxis], covariance[np.newaxis])

    def on_grid(mean, covariance) -> float:
        return expected_log_density(known, covariance, mean)

    found = on_grid(MEAN, covariance)
    yield compare(f"mean log density of a code, {name}", float(value[0]), trained=found, tolerance=1e-8)
    slope = slope_of([on_grid(MEAN + shift * step * TOWARDS, covariance) for shift in SHIFTS], step)
    yield compare(f"its slope in the mean, {name}", float(to_mean[0] @ TOWARDS), trained=slope, tolerance=1e-7)
    wider = np.array([[0.5, 0.3], [0.3, -0.8]])
    slope = slope_of([on_grid(MEAN, covariance + shift * step * wider) for shift in SHIFTS], step)
    stated = float(np.sum(to_covariance[0] * wider))
    yield compare(f"its slope in the covariance, {name}", stated, trained=slope, tolerance=tolerance)


def _of_points(name: str, prior, log_density_of: LogDensity, points: np.ndarray) -> Iterator[Comparison]:
    """E log p and its slopes in the mean for codes that do not vary: the log density and its slopes."""
    step = 1e-4
    values, to_means, _ = expectation_and_slopes(prior, points, np.zeros((len(points), 2, 2)))
    yield compare_arrays(f"mean log density of points, {name}", values, log_density_of(points), 1e-10)
    slopes = slope_of([log_density_of(points + shift * step * TOWARDS) for shift in SHIFTS], step)
    yield compare_arrays(f"its slopes in the points, {name}", to_means @ TOWARDS, slopes, 1e-6)


def _gaussian_priors() -> Iterator[Comparison]:
    """The covariance of each kind: from codes of the hierarchy, blocks put together, leading eigenvalues."""
    from scipy import stats  # which takes long to import

    covariance, loading = np.array(CODE), np.array([[0.8, -0.3], [0.1, 0.5], [0.4, 0.2]])
    normal = points_of_normal(5)
    lower = normal[:, :2] @ loading.T + np.sqrt(0.6) * normal[:, 2:]
    codes = np.hstack([normal[:, :2], lower])
    hierarchy = priors.GaussianPrior.two_level(loading, 0.6).covariance
    yield compare_arrays("two levels", hierarchy, codes.T @ codes / len(codes), 1e-13)
    blocks = priors.GaussianPrior.block([covariance, [[2.0]]]).covariance
    yield compare_arrays("blocks", blocks, block_diag(covariance, [[2.0]]), 1e-13)
    leading = priors.GaussianPrior.from_pca(covariance, 1).covariance
    yield compare_arrays("leading variance", leading, [[np.linalg.norm(covariance, 2)]], 1e-13)
    isotropic = priors.GaussianPrior.isotropic(2, 0.7)
    yield compare_arrays("isotropic", isotropic.covariance, [[0.7, 0.0], [0.0, 0.7]], 1e-13)
    for prior, one in ((isotropic, stats.norm(scale=np.sqrt(0.7))), (priors.StudentPrior(3.0, 2), stats.t(3.0))):
        integral = quad(lambda z, one=one: np.exp(BETA * one.logpdf(z)), -np.inf, np.inf, epsabs=1e-13)[0]
        quantity = f"normaliser, {type(prior).__name__}"
        yield compare(quantity, prior.log_normaliser(BETA), trained=2 * float(np.log(integral)), tolerance=1e-9)


CHECKS = {"prior_families": prior_families}
