"""Checks of the results on priors: the annealed prior, optima, rotations.

With priors other than N(0, I) a general-purpose search minimises the loss as it is defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from numerics.checks.axes import BETA, EIGENVALUES, NOISE, optimum_of
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.cubature import elbo_terms_by_cubature, mean_of_quadratic
from numerics.sampling.gaussian import log_density
from numerics.sampling.prior_expectations import expected_log_density, factor_components
from theory import axes, priors
from theory.model import LinearVAE
from theory.moments import Moments

__all__ = [
    "CHECKS",
    "CODE",
    "CORRELATED",
    "FAMILIES",
    "PART_TOLERANCE",
    "SEARCH_TOLERANCE",
    "OwnPrior",
    "limit_of",
    "searched_vae",
]


# One of each family whose axes matter. Not the examples of `theory.priors.registry`, which are chosen for figures: here
# a spike is sharp and a prior far from isotropic, so that an error shows.
FAMILIES = {
    "anisotropic": priors.GaussianPrior.anisotropic([3.0, 0.5]),
    "student": priors.StudentPrior(2.0, 2),
    "spike and slab": priors.SpikeSlabPrior(2),
    "clusters": priors.ClusterPrior(1.5, 0.1),
}
CODE = np.array([[1.9, 0.2], [0.2, 1.6]])  # covariance of a code away from the prior
CORRELATED = np.array([[1.5, 0.4], [0.4, 0.7]])  # covariance of a prior
SEARCH_TOLERANCE = 1e-7  # of a loss found by a search with numerical differences
PART_TOLERANCE = 1e-5  # of its parts, which near a minimum are off by about the square root of what the loss is


class OwnPrior:
    """A prior with the three members of the protocol alone: that of R z, z with densities (2 + z^2)^(-3/2).

    These are Student's with two degrees of freedom. Slopes of the expectation are then differences.
    """

    latent_dim = 2

    def __init__(self, root=((1.0, 0.0), (0.0, 1.0))):
        self._inverse, self._steps = np.linalg.inv(root), np.arange(-9.0, 9.01, 0.1)
        self._weights = np.exp(-(self._steps**2) / 2)

    def log_density(self, latents) -> np.ndarray:
        return self._of_independent(latents @ self._inverse.T)

    def expected_log_density(self, mean, covariance) -> float:
        deviations = np.sqrt(np.diagonal(self._inverse @ covariance @ self._inverse.T))
        z = self._inverse @ mean + self._steps[:, np.newaxis] * deviations  # each alone: their density is a product
        return float(self._weights @ self._of_independent(z) / self._weights.sum())

    def _of_independent(self, z: np.ndarray) -> np.ndarray:
        return np.log(np.linalg.det(self._inverse)) - 1.5 * np.log(2 + z**2).sum(axis=-1)


OWN_ROOT = np.linalg.cholesky(CORRELATED)
OWN = OwnPrior(OWN_ROOT)


def annealed_prior(budget: Budget) -> Iterator[Comparison]:
    """Both forms of the identity, with data about the mean of the VAE and away from it, and normalisers."""
    covariance, vae = optimum_of(2)
    data = Moments(0, np.linspace(0.3, 0.9, len(covariance)), covariance)
    moved = replace(vae, mean=np.linspace(-0.5, 0.5, len(covariance)))
    for case, model, offset in (("", vae, 0 * data.mean), (", away from the mean", moved, data.mean - moved.mean)):
        yield from _annealed_gaussian(case, model, data, offset)
        yield from _annealed_student(case, model, data, offset)
    for case, nu, beta, count, options in (
        ("two latents", 3.0, BETA, 2, {"latent_dim": 2}),
        ("no latents", 3.0, BETA, 0, {"latent_dim": 0}),
        ("one latent", 3.0, BETA, 1, {}),
        ("falling as z^-0.8", 1.0, 0.4, 1, {}),
    ):
        exact, found = priors.student_log_normaliser(nu, beta, **options), count * _log_integral(nu, beta)
        yield compare(f"normaliser of a Student prior, {case}", exact, trained=found, tolerance=1e-10, scale=1.0)


def _annealed_gaussian(case: str, vae: LinearVAE, data: Moments, offset: np.ndarray) -> Iterator[Comparison]:
    """Each part an average over data and codes, with a correlated prior."""
    prior_root, posterior_root = np.linalg.cholesky(CORRELATED), np.linalg.cholesky(vae.posterior_covariance)
    data_root, noise_root = np.linalg.cholesky(data.covariance), np.sqrt(NOISE) * np.eye(len(offset))
    # The integral of the annealed density, a Gaussian-shaped function: on a grid the sum is exact to rounding.
    grid = np.linspace(-20, 20, 401)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    log_integral = np.log(np.sum(np.exp(BETA * log_density(points, prior_root))) * (grid[1] - grid[0]) ** 2)

    def values(source) -> dict[str, np.ndarray]:
        shifted, noise = offset + source(len(offset)) @ data_root.T, source(2) @ posterior_root.T
        codes = shifted @ vae.encoder.T + noise
        log_q, log_p = log_density(noise, posterior_root), log_density(codes, prior_root)
        reconstruction = -log_density(shifted - codes @ vae.decoder.T, noise_root)
        return {
            "entropy": -log_q,
            "divergence from the annealed prior": log_q - BETA * log_p + log_integral,
            "loss, annealed": BETA * (log_q - log_p) + reconstruction,
        }

    found = mean_of_quadratic(values, len(offset) + 2) | {"normaliser": float(log_integral)}
    found["loss, rescaled"] = found["loss, annealed"]
    annealed = priors.annealed_terms(vae, data, BETA, prior=CORRELATED)
    closed_form = {
        "entropy": annealed.entropy,
        "normaliser": annealed.log_normaliser,
        "divergence from the annealed prior": annealed.annealed_kl,
        "loss, annealed": annealed.loss,
        "loss, rescaled": priors.rescaled_terms(vae, data, BETA, prior=CORRELATED).loss,
    }
    for name, value in closed_form.items():
        yield compare(f"{name}{case}", value, trained=found[name], tolerance=1e-10)


def _annealed_student(case: str, vae: LinearVAE, data: Moments, offset: np.ndarray) -> Iterator[Comparison]:
    """The same with a prior that is not Gaussian, whose log density is averaged over the code on a grid."""
    prior = FAMILIES["student"]
    code = vae.encoder @ data.covariance @ vae.encoder.T + vae.posterior_covariance
    expected = expected_log_density(prior, code, vae.encoder @ offset)
    entropy = np.linalg.slogdet(2 * np.pi * np.e * vae.posterior_covariance)[1] / 2
    log_integral = prior.latent_dim * _log_integral(prior.degrees_of_freedom, BETA)
    loss = elbo_terms_by_cubature(vae, data)["reconstruction"] - BETA * (entropy + expected)
    annealed = priors.annealed_terms(vae, data, BETA, prior=prior)
    for name, stated, value in (
        ("entropy", annealed.entropy, entropy),
        ("normaliser", annealed.log_normaliser, log_integral),
        ("divergence from the annealed prior", annealed.annealed_kl, log_integral - entropy - BETA * expected),
        ("loss, annealed", annealed.loss, loss),
    ):
        yield compare(f"{name}, Student prior{case}", float(stated), trained=float(value), tolerance=1e-8)


def _log_integral(degrees_of_freedom: float, beta: float) -> float:
    """log of the integral of p^beta over one latent, p of Student: along z = sinh(y), over ever longer intervals."""
    from scipy import stats  # which takes long to import

    values, step = [], 0.02
    for reach in (20.0, 40.0, 60.0):
        y = np.arange(-reach, reach + step / 2, step)
        logarithms = beta * stats.t(degrees_of_freedom).logpdf(np.sinh(y)) + np.log(np.cosh(y))
        values.append(float(np.log(step * np.exp(logarithms).sum())))
    return limit_of(values)


def prior_optimum(budget: Budget) -> Iterator[Comparison]:
    """The cost of the stated model; decoder, encoder and full posterior searched for each prior from a random start."""
    covariance = np.diag(EIGENVALUES[:3])
    for name, prior in FAMILIES.items():
        exact = priors.prior_optimum(covariance, prior, beta=BETA, noise_variance=NOISE)
        on_grid = partial(expected_log_density, prior)
        yield from _stated_model(name, exact, on_grid, covariance)
        if name == "spike and slab":  # Gaussian data have two optima with it, and a search may end in either
            continue
        by_theory = partial(prior.expected_log_density, np.zeros(2))  # to search with; a grid takes long
        searched = searched_vae(covariance, partial(_loss_with, by_theory, covariance), seed=304)
        loss = _loss_with(on_grid, covariance, searched)
        yield compare(f"loss, {name}", exact.loss, trained=loss, tolerance=SEARCH_TOLERANCE)
        code = searched.encoder @ covariance @ searched.encoder.T + searched.posterior_covariance
        yield compare_arrays(f"covariance of the code, {name}", exact.aggregate, code, PART_TOLERANCE)
        yield compare_arrays(f"nearest Gaussian, {name}", priors.nearest_gaussian(prior)[0], code, PART_TOLERANCE)
    exact = priors.prior_optimum(covariance, OWN, beta=BETA, noise_variance=NOISE)
    yield from _stated_model("a prior of one's own", exact, partial(OWN.expected_log_density, np.zeros(2)), covariance)
    yield from _nearest_gaussians()


def _stated_model(
    name: str, exact: priors.PriorOptimum, expected_log_prior: Callable, covariance: np.ndarray
) -> Iterator[Comparison]:
    """The parts of the loss that are stated for one of many optima, and those of the model itself."""
    loss, parts = _loss_with(expected_log_prior, covariance, exact.vae), elbo_terms_by_cubature(exact.vae, covariance)
    rate = (loss - parts["reconstruction"]) / BETA
    found = {"loss": loss, "distortion": parts["distortion"], "reconstruction": parts["reconstruction"]}
    found |= {"mutual_information": parts["mutual_information"], "mismatch": rate - parts["mutual_information"]}
    for part, value in (found | {"rate": rate}).items():
        quantity, scale = f"{part}, stated model, {name}", max(abs(value), 1e-2)
        yield compare(quantity, getattr(exact, part), trained=value, tolerance=1e-9, scale=scale)
    yield compare(f"noise variance, stated model, {name}", exact.vae.noise_variance, trained=NOISE, tolerance=1e-13)


def _nearest_gaussians() -> Iterator[Comparison]:
    """Where it is one of two minima, where it is the root of an equation, and where it is searched for."""
    student = FAMILIES["student"]
    for name, prior, known, root in (
        ("spike and slab", FAMILIES["spike and slab"], FAMILIES["spike and slab"], np.eye(2)),
        ("student 0.5", priors.StudentPrior(0.5, 2), priors.StudentPrior(0.5, 2), np.eye(2)),
        ("a prior of one's own", OWN, student, OWN_ROOT),
    ):
        covariance, divergence = priors.nearest_gaussian(prior)
        from_known = partial(_divergence_from, known)
        about = min(np.arange(-8.0, 4.0, 0.5), key=from_known)
        least = minimize_scalar(
            from_known, bounds=(about - 0.5, about + 0.5), method="bounded", options={"xatol": 1e-9}
        )
        scale = np.exp(least.x)
        yield compare_arrays(
            f"nearest Gaussian in units of its variance, {name}", covariance / scale, root @ root.T, PART_TOLERANCE
        )
        yield compare(
            f"divergence of the nearest Gaussian, {name}", divergence, trained=float(least.fun), tolerance=1e-9
        )


def _divergence_from(prior, log_variance: float) -> float:
    """Of an isotropic Gaussian, by its definition."""
    entropy = np.log(2 * np.pi * np.e) + log_variance
    return -entropy - expected_log_density(prior, np.exp(log_variance) * np.eye(2))


def prior_rotation_energy(budget: Budget) -> Iterator[Comparison]:
    """A Gaussian code and mixtures of them rotated under each prior: expectations of scipy's densities on a grid."""
    rotation = axes.plane_rotation(2, 0.5)
    code = np.array([[0.9, 0.1], [0.1, 0.3]])
    sparse, clustered = FAMILIES["spike and slab"], FAMILIES["clusters"]
    for name, prior in FAMILIES.items():
        energies = {"Gaussian code": priors.prior_rotation_energy(prior, code, rotation, BETA)}
        components = {"Gaussian code": [(1.0, np.zeros(2), code)]}
        for kind, factors in (("sparse factors", sparse), ("clustered factors", clustered)):
            energies[kind] = priors.factor_rotation_energy(prior, factors, rotation, BETA)
            components[kind] = factor_components(factors)
        for kind, exact in energies.items():
            before, after = (
                sum(
                    weight * expected_log_density(prior, basis @ part @ basis.T, basis @ mean)
                    for weight, mean, part in components[kind]
                )
                for basis in (np.eye(2), rotation)
            )
            yield compare(f"{kind}, {name}", exact, trained=BETA * (before - after), tolerance=1e-9, scale=BETA)


def limit_of(values: Sequence[float]) -> float:
    """The limit of a sequence of which three terms are given: infinite if its steps do not shrink, else the last."""
    first, second, last = values
    return np.inf if last - second > max(second - first, 1e-6) / 2 else last


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
    "annealed_prior": annealed_prior,
    "prior_optimum": prior_optimum,
    "prior_rotation_energy": prior_rotation_energy,
}
