"""Checks of the results on priors: families, the annealed prior, optima, rotations.

With priors other than N(0, I) a general-purpose search minimises the loss as it is defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy.integrate import quad
from scipy.linalg import block_diag
from scipy.optimize import minimize, minimize_scalar

from numerics.checks.axes import BETA, EIGENVALUES, NOISE, optimum_of
from numerics.checks.differences import SHIFTS, slope_of
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.cubature import elbo_terms_by_cubature, mean_of_quadratic, points_of_normal
from numerics.sampling.estimate import Estimate
from numerics.sampling.gaussian import log_density
from numerics.sampling.prior_expectations import expected_log_density, factor_components, scipy_log_density
from theory import axes, priors
from theory.model import LinearVAE
from theory.priors.protocol import expectation_and_slopes

__all__ = ["CHECKS"]


# One of each family whose axes matter. Not the examples of `theory.priors.registry`, which are chosen for figures: here
# a spike is sharp and a prior far from isotropic, so that an error shows.
FAMILIES = {
    "anisotropic": priors.GaussianPrior.anisotropic([3.0, 0.5]),
    "student": priors.StudentPrior(2.0, 2),
    "spike and slab": priors.SpikeSlabPrior(2),
    "clusters": priors.ClusterPrior(),
}
CODE = np.array([[1.9, 0.2], [0.2, 1.6]])  # covariance of a code away from the prior
SEARCH_TOLERANCE = 1e-7  # of a loss found by a search with numerical differences
PART_TOLERANCE = 1e-5  # of its parts, which near a minimum are off by about the square root of what the loss is


def annealed_prior(budget: Budget) -> Iterator[Comparison]:
    """Both forms of the identity, each part an average over data and codes, with a correlated prior."""
    from scipy import stats  # which takes long to import

    covariance, vae = optimum_of(2)
    prior = np.array([[1.5, 0.4], [0.4, 0.7]])
    prior_root, posterior_root = np.linalg.cholesky(prior), np.linalg.cholesky(vae.posterior_covariance)
    data_root, noise_root = np.linalg.cholesky(covariance), np.sqrt(NOISE) * np.eye(len(covariance))
    # The integral of the annealed density, a Gaussian-shaped function: on a grid the sum is exact to rounding.
    grid = np.linspace(-20, 20, 401)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    log_integral = np.log(np.sum(np.exp(BETA * log_density(points, prior_root))) * (grid[1] - grid[0]) ** 2)

    def values(source) -> dict[str, np.ndarray]:
        data, noise = source(len(covariance)) @ data_root.T, source(2) @ posterior_root.T
        codes = data @ vae.encoder.T + noise
        log_q, log_p = log_density(noise, posterior_root), log_density(codes, prior_root)
        reconstruction = -log_density(data - codes @ vae.decoder.T, noise_root)
        return {
            "entropy": -log_q,
            "divergence from the annealed prior": log_q - BETA * log_p + log_integral,
            "loss, annealed": BETA * (log_q - log_p) + reconstruction,
        }

    found = mean_of_quadratic(values, len(covariance) + 2) | {"normaliser": float(log_integral)}
    found["loss, rescaled"] = found["loss, annealed"]
    annealed = priors.annealed_terms(vae, covariance, BETA, prior=prior)
    closed_form = {
        "entropy": annealed.entropy,
        "normaliser": annealed.log_normaliser,
        "divergence from the annealed prior": annealed.annealed_kl,
        "loss, annealed": annealed.loss,
        "loss, rescaled": priors.rescaled_terms(vae, covariance, BETA, prior=prior).loss,
    }
    for name, value in closed_form.items():
        yield compare(name, value, trained=found[name], tolerance=1e-10)
    yield from _annealed_student(vae, covariance)
    student = stats.t(3.0)
    integral = quad(lambda z: np.exp(BETA * student.logpdf(z)), -np.inf, np.inf, epsabs=1e-13)[0]
    exact = priors.student_log_normaliser(3.0, BETA, latent_dim=2)
    yield compare("normaliser of a Student prior", exact, trained=2 * float(np.log(integral)), tolerance=1e-10)


def _annealed_student(vae: LinearVAE, covariance: np.ndarray) -> Iterator[Comparison]:
    """The same with a prior that is not Gaussian, whose log density is averaged over the code on a grid."""
    prior = FAMILIES["student"]
    on_grid = partial(expected_log_density, prior)
    one = partial(_annealed_density, scipy_log_density(priors.StudentPrior(prior.degrees_of_freedom, 1)))
    log_integral = prior.latent_dim * np.log(quad(one, -np.inf, np.inf, epsabs=1e-13)[0])
    parts, loss = elbo_terms_by_cubature(vae, covariance), _loss_with(on_grid, covariance, vae)
    entropy = np.linalg.slogdet(2 * np.pi * np.e * vae.posterior_covariance)[1] / 2
    expected = (parts["reconstruction"] - loss) / BETA - entropy
    annealed = priors.annealed_terms(vae, covariance, BETA, prior=prior)
    for name, stated, value in (
        ("entropy", annealed.entropy, entropy),
        ("normaliser", annealed.log_normaliser, log_integral),
        ("divergence from the annealed prior", annealed.annealed_kl, log_integral - entropy - BETA * expected),
        ("loss, annealed", annealed.loss, loss),
    ):
        yield compare(f"{name}, Student prior", float(stated), trained=float(value), tolerance=1e-8)


def _annealed_density(log_density_of: Callable, z: float) -> float:
    return float(np.exp(BETA * log_density_of(np.array([[z]]))[0]))


class OwnPrior:
    """A prior with the three members of the protocol alone, whose slopes are then differences: Student's, by sums."""

    latent_dim = 2

    def __init__(self):
        self.log_density = scipy_log_density(FAMILIES["student"])

    def expected_log_density(self, mean, covariance) -> float:
        u = np.arange(-9.0, 9.01, 0.1)
        weights = np.exp(-(u**2) / 2)
        z = mean + u[:, np.newaxis] * np.sqrt(np.diagonal(covariance))  # of each latent alone: p is a product
        return float(weights @ self.log_density(z) / weights.sum())


def prior_families(budget: Budget) -> Iterator[Comparison]:
    """Densities, draws, moments, quadrature and symmetries of each family, and the ways to make a Gaussian prior."""
    yield from _gaussian_priors()
    rng = np.random.default_rng(309)
    for name, prior in (FAMILIES | {f"student {nu:g}": priors.StudentPrior(nu, 2) for nu in (7.0, 40.0)}).items():
        log_density_of, points = scipy_log_density(prior), 1.5 * rng.standard_normal((50, 2))
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
        turned = log_density_of(points @ prior.symmetries(rng).T)
        yield compare_arrays(f"log density after a symmetry, {name}", stated, turned, 1e-10)
        rotation, symmetry = axes.plane_rotation(2, 0.5), prior.symmetries(rng)
        found = [float(prior.is_symmetry(matrix)) for matrix in (symmetry, rotation)]
        changes = [np.abs(log_density_of(points @ matrix.T) - stated).max() < 1e-9 for matrix in (symmetry, rotation)]
        yield compare_arrays(f"symmetries, {name}", found, changes, 0.0)
    own = OwnPrior()
    yield from _of_a_code("a prior of one's own", own, FAMILIES["student"])
    stated, divergence = priors.nearest_gaussian(own)
    least = minimize_scalar(lambda size: _divergence_from(own, size), bounds=(0.1, 10), method="bounded")
    yield compare_arrays("nearest Gaussian, a prior of one's own", stated, least.x * np.eye(2), 1e-5)
    yield compare("its divergence, a prior of one's own", divergence, trained=float(least.fun), tolerance=1e-8)


def _divergence_from(prior, variance: float) -> float:
    """Of an isotropic Gaussian."""
    entropy = np.log(2 * np.pi * np.e * variance)
    return -entropy - prior.expected_log_density(np.zeros(2), variance * np.eye(2))


def _of_a_code(name: str, prior, known) -> Iterator[Comparison]:
    """E log p of a code away from zero, as that of the `known` prior, and slopes in some direction, by differences."""
    mean, covariance, step = np.array([0.7, -0.4]), np.array([[0.5, 0.1], [0.1, 0.3]]), 1e-3
    value, to_mean, to_covariance = expectation_and_slopes(prior, mean[np.newaxis], covariance[np.newaxis])

    def on_grid(mean, covariance) -> float:
        return expected_log_density(known, covariance, mean)

    found = on_grid(mean, covariance)
    yield compare(f"mean log density of a code, {name}", float(value[0]), trained=found, tolerance=1e-8)
    towards = np.array([0.6, -1.1])
    slope = slope_of([on_grid(mean + shift * step * towards, covariance) for shift in SHIFTS], step)
    yield compare(f"its slope in the mean, {name}", float(to_mean[0] @ towards), trained=slope, tolerance=1e-7)
    wider = np.array([[0.5, 0.3], [0.3, -0.8]])
    slope = slope_of([on_grid(mean, covariance + shift * step * wider) for shift in SHIFTS], step)
    stated = float(np.sum(to_covariance[0] * wider))
    yield compare(f"its slope in the covariance, {name}", stated, trained=slope, tolerance=1e-7)


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


def prior_optimum(budget: Budget) -> Iterator[Comparison]:
    """Decoder, encoder and a full posterior searched for each prior from a random start."""
    covariance = np.diag(EIGENVALUES[:3])
    for name, prior in FAMILIES.items():
        if name == "spike and slab":  # Gaussian data have two optima with it, and a search may end in either
            continue
        exact = priors.prior_optimum(covariance, prior, beta=BETA, noise_variance=NOISE)
        on_grid = partial(expected_log_density, prior)
        # What the stated model costs, one of many optima.
        loss = _loss_with(on_grid, covariance, exact.vae)
        parts = elbo_terms_by_cubature(exact.vae, covariance)
        rate = (loss - parts["reconstruction"]) / BETA
        found = {"loss": loss, "distortion": parts["distortion"], "reconstruction": parts["reconstruction"]}
        found |= {"mutual_information": parts["mutual_information"], "mismatch": rate - parts["mutual_information"]}
        for part, value in (found | {"rate": rate}).items():
            quantity, scale = f"{part}, stated model, {name}", max(abs(value), 1e-2)
            yield compare(quantity, getattr(exact, part), trained=value, tolerance=1e-9, scale=scale)
        noise = exact.vae.noise_variance
        yield compare(f"noise variance, stated model, {name}", noise, trained=NOISE, tolerance=1e-13)
        by_theory = partial(prior.expected_log_density, np.zeros(2))  # to search with; a grid takes long
        searched = searched_vae(covariance, partial(_loss_with, by_theory, covariance), seed=304)
        loss = _loss_with(on_grid, covariance, searched)
        yield compare(f"loss, {name}", exact.loss, trained=loss, tolerance=SEARCH_TOLERANCE)
        code = searched.encoder @ covariance @ searched.encoder.T + searched.posterior_covariance
        yield compare_arrays(f"covariance of the code, {name}", exact.aggregate, code, PART_TOLERANCE)
        yield compare_arrays(f"nearest Gaussian, {name}", priors.nearest_gaussian(prior)[0], code, PART_TOLERANCE)


def prior_rotation_energy(budget: Budget) -> Iterator[Comparison]:
    """A Gaussian code and sparse factors rotated under each prior: expectations of scipy's densities on a grid."""
    rotation = axes.plane_rotation(2, 0.5)
    code = np.array([[0.9, 0.1], [0.1, 0.3]])
    sparse = FAMILIES["spike and slab"]
    for name, prior in FAMILIES.items():
        for kind, exact, parts in (
            ("Gaussian code", priors.prior_rotation_energy(prior, code, rotation, BETA), [(1.0, code)]),
            ("sparse factors", priors.factor_rotation_energy(prior, sparse, rotation, BETA), factor_components(sparse)),
        ):
            before, after = (
                sum(weight * expected_log_density(prior, basis @ part @ basis.T) for weight, part in parts)
                for basis in (np.eye(2), rotation)
            )
            yield compare(f"{kind}, {name}", exact, trained=BETA * (before - after), tolerance=1e-9, scale=BETA)


def searched_vae(covariance: np.ndarray, loss, *, seed: int, decoder=None, posterior: str = "full") -> LinearVAE:
    """The VAE of two latents that minimises a loss by numerical differences; the decoder is learned or fixed."""
    data_dim = len(covariance)
    size = 2 * data_dim

    def unpack(parameters):
        factor = np.diag(np.exp(parameters[size : size + 2]))
        if posterior == "full":
            factor[1, 0] = parameters[size + 2]
        weights = parameters[size + 3 :].reshape(data_dim, 2) if decoder is None else decoder
        return LinearVAE(weights, parameters[:size].reshape(2, data_dim), factor @ factor.T, NOISE)

    start = 0.6 * np.random.default_rng(seed).standard_normal(size + 3 + (size if decoder is None else 0))
    return unpack(minimize(lambda parameters: loss(unpack(parameters)), start, options={"gtol": 1e-6}).x)


def _loss_with(expected_log_prior: Callable, covariance: np.ndarray, vae: LinearVAE) -> float:
    """The loss with any prior, from its definition: entropy of q, and the log prior over the aggregate code."""
    code = vae.encoder @ covariance @ vae.encoder.T + vae.posterior_covariance
    entropy = (2 * np.log(2 * np.pi * np.e) + np.linalg.slogdet(vae.posterior_covariance)[1]) / 2
    reconstruction = elbo_terms_by_cubature(vae, covariance)["reconstruction"]
    return reconstruction - BETA * (entropy + expected_log_prior(code))


CHECKS = {
    "prior_families": prior_families,
    "annealed_prior": annealed_prior,
    "prior_optimum": prior_optimum,
    "prior_rotation_energy": prior_rotation_energy,
}
