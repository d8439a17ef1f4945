"""Checks of the results on priors: the annealed prior, optima, rotations, penalties on the aggregate code.

With priors other than N(0, I) a general-purpose search minimises the loss as it is defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy.integrate import quad
from scipy.linalg import block_diag
from scipy.optimize import minimize

import theory
from numerics.checks.axes import BETA, EIGENVALUES, NOISE, optimum_of
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.cubature import elbo_terms_by_cubature, mean_of_quadratic, points_of_normal
from numerics.sampling.estimate import Estimate
from numerics.sampling.gaussian import log_density
from numerics.sampling.prior_expectations import expectation_in_plane, factor_components, scipy_log_density
from theory import axes, priors
from theory.model import LinearVAE

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
    student = stats.t(3.0)
    integral = quad(lambda z: np.exp(BETA * student.logpdf(z)), -np.inf, np.inf, epsabs=1e-13)[0]
    exact = priors.student_log_normaliser(3.0, BETA, latent_dim=2)
    yield compare("normaliser of a Student prior", exact, trained=2 * float(np.log(integral)), tolerance=1e-10)


def prior_families(budget: Budget) -> Iterator[Comparison]:
    """Densities, draws, moments, quadrature and symmetries of each family, and the ways to make a Gaussian prior."""
    rng = np.random.default_rng(309)
    for name, prior in (FAMILIES | {"light student": priors.StudentPrior(7.0, 2)}).items():
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
        yield from _of_a_code(name, prior, log_density_of)
        turned = log_density_of(points @ prior.symmetries(rng).T)
        yield compare_arrays(f"log density after a symmetry, {name}", stated, turned, 1e-10)
        rotation, symmetry = axes.plane_rotation(2, 0.5), prior.symmetries(rng)
        found = [float(prior.is_symmetry(matrix)) for matrix in (symmetry, rotation)]
        changes = [np.abs(log_density_of(points @ matrix.T) - stated).max() < 1e-9 for matrix in (symmetry, rotation)]
        yield compare_arrays(f"symmetries, {name}", found, changes, 0.0)
    yield from _gaussian_priors()


def _of_a_code(name: str, prior, log_density_of: Callable) -> Iterator[Comparison]:
    """E log p of a code away from zero, and its slopes in the mean, of which E log p on the grid has differences."""
    mean, covariance, step = np.array([0.7, -0.4]), np.array([[0.5, 0.1], [0.1, 0.3]]), 1e-3
    value, to_mean, _ = prior.expected_log_density_and_slopes(mean[np.newaxis], covariance[np.newaxis])
    on_grid = partial(expectation_in_plane, log_density_of, covariance)
    yield compare(f"mean log density of a code, {name}", float(value[0]), trained=on_grid(mean), tolerance=1e-8)
    slopes = [(on_grid(mean + step * one) - on_grid(mean - step * one)) / (2 * step) for one in np.eye(2)]
    yield compare_arrays(f"its slope in the mean, {name}", to_mean[0], slopes, 1e-4)


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
        by_theory = partial(prior.expected_log_density, np.zeros(2))  # to search with; a grid takes long
        searched = _searched(covariance, partial(_loss_with, by_theory, covariance), seed=304)
        on_grid = partial(expectation_in_plane, scipy_log_density(prior))
        loss = _loss_with(on_grid, covariance, searched)
        yield compare(f"loss, {name}", exact.loss, trained=loss, tolerance=SEARCH_TOLERANCE)
        parts = elbo_terms_by_cubature(searched, covariance)
        rate = (loss - parts["reconstruction"]) / BETA
        found = {"distortion": parts["distortion"], "reconstruction": parts["reconstruction"], "rate": rate}
        found |= {"mutual_information": parts["mutual_information"], "mismatch": rate - parts["mutual_information"]}
        for part, value in found.items():
            quantity, scale = f"{part}, {name}", max(abs(value), 1e-2)
            yield compare(quantity, getattr(exact, part), trained=value, tolerance=PART_TOLERANCE, scale=scale)
        code = searched.encoder @ covariance @ searched.encoder.T + searched.posterior_covariance
        yield compare_arrays(f"covariance of the code, {name}", exact.aggregate, code, PART_TOLERANCE)
        yield compare_arrays(f"nearest Gaussian, {name}", priors.nearest_gaussian(prior)[0], code, PART_TOLERANCE)
        # The stated model itself: one of many optima, so that only what it costs can be compared.
        loss = _loss_with(on_grid, covariance, exact.vae)
        yield compare(f"loss, stated model, {name}", exact.loss, trained=loss, tolerance=1e-9)
        distortion = elbo_terms_by_cubature(exact.vae, covariance)["distortion"]
        yield compare(f"distortion, stated model, {name}", exact.distortion, trained=distortion, tolerance=1e-10)
        noise = exact.vae.noise_variance
        yield compare(f"noise variance, stated model, {name}", noise, trained=NOISE, tolerance=1e-13)


def prior_rotation_energy(budget: Budget) -> Iterator[Comparison]:
    """A Gaussian code and sparse factors rotated under each prior: expectations of scipy's densities on a grid."""
    rotation = axes.plane_rotation(2, 0.5)
    code = np.array([[0.9, 0.1], [0.1, 0.3]])
    sparse = FAMILIES["spike and slab"]
    for name, prior in FAMILIES.items():
        log_density_of = scipy_log_density(prior)
        for kind, exact, parts in (
            ("Gaussian code", priors.prior_rotation_energy(prior, code, rotation, BETA), [(1.0, code)]),
            ("sparse factors", priors.factor_rotation_energy(prior, sparse, rotation, BETA), factor_components(sparse)),
        ):
            before, after = (
                sum(weight * expectation_in_plane(log_density_of, basis @ part @ basis.T) for weight, part in parts)
                for basis in (np.eye(2), rotation)
            )
            yield compare(f"{kind}, {name}", exact, trained=BETA * (before - after), tolerance=1e-9, scale=BETA)


def aggregate_penalty(budget: Budget) -> Iterator[Comparison]:
    """Divergences of the aggregate code as averages, and the encoder for a fixed decoder."""
    covariance, vae = optimum_of(2)
    decoder = vae.decoder @ axes.plane_rotation(2, 0.5).T + 0.2
    for kind in ("inclusive", "exclusive", "mmd"):
        optimal = priors.regularised_encoder(decoder, covariance, NOISE, BETA, 2.0, divergence=kind)
        exact = priors.aggregate_divergence(CODE, divergence=kind)
        yield compare(kind, exact, trained=_divergence(kind, CODE), tolerance=1e-11)

        loss = partial(_penalised_loss, kind, 2.0, covariance)
        searched = _searched(covariance, loss, seed=307, decoder=decoder, posterior="diagonal")
        yield compare(f"fixed decoder, {kind}", optimal.loss, trained=loss(searched), tolerance=SEARCH_TOLERANCE)
        for name in ("decoder", "encoder", "posterior_covariance"):
            exact, found = getattr(optimal.vae, name), getattr(searched, name)
            yield compare_arrays(f"{name}, {kind}", exact, found, 100 * PART_TOLERANCE)
        yield compare(f"noise variance, {kind}", optimal.vae.noise_variance, trained=NOISE, tolerance=1e-13)
        own = searched.encoder @ covariance @ searched.encoder.T + searched.posterior_covariance
        parts, divergence = elbo_terms_by_cubature(searched, covariance), _divergence(kind, own)
        of_searched = priors.regularised_terms(searched, covariance, divergence=kind)
        for case, terms, tolerance in (("optimal", optimal.terms, PART_TOLERANCE), ("searched", of_searched, 1e-11)):
            yield compare(f"divergence, {case}, {kind}", terms.divergence, trained=divergence, tolerance=tolerance)
            for part, value in parts.items():
                quantity, stated = f"{part}, {case}, {kind}", getattr(terms.elbo, part)
                yield compare(quantity, stated, trained=value, tolerance=tolerance)
    loss = partial(_penalised_loss, "inclusive", 2.0, covariance)
    full = priors.regularised_encoder(decoder, covariance, NOISE, BETA, 2.0, posterior="full")
    searched = _searched(covariance, loss, seed=310, decoder=decoder)
    yield compare("fixed decoder, full posterior", full.loss, trained=loss(searched), tolerance=SEARCH_TOLERANCE)
    found = searched.posterior_covariance
    yield compare_arrays("full posterior", full.vae.posterior_covariance, found, 100 * PART_TOLERANCE)
    for variance in (0.3, 4.0):
        mean = _kernel_mean(np.array([[variance]]))
        exact = float(priors.kernel_mean(variance))
        yield compare(f"mean of the kernel, variance {variance}", exact, trained=mean, tolerance=1e-11)


def aggregate_penalty_learned(budget: Budget) -> Iterator[Comparison]:
    """With a learned decoder the weight of the penalty changes nothing at the optimum."""
    covariance = np.diag(EIGENVALUES[:3])
    best = theory.optimum(covariance, 2, beta=BETA, noise_variance=NOISE)
    for kind in ("inclusive", "mmd"):
        loss = partial(_penalised_loss, kind, 3.0, covariance)
        searched = _searched(covariance, loss, seed=308, posterior="diagonal")
        yield compare(f"loss, {kind}", best.loss, trained=loss(searched), tolerance=SEARCH_TOLERANCE)
        terms = priors.regularised_terms(searched, covariance, divergence=kind)
        yield compare(f"loss of its parts, {kind}", terms.loss(BETA, 3.0), trained=loss(searched), tolerance=1e-11)


def _searched(covariance: np.ndarray, loss, *, seed: int, decoder=None, posterior: str = "full") -> LinearVAE:
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


def _penalised_loss(kind: str, alpha: float, covariance: np.ndarray, vae: LinearVAE) -> float:
    """Reconstruction, beta times the rate and alpha times the divergence of the aggregate code, by definition."""
    parts = elbo_terms_by_cubature(vae, covariance)
    code = vae.encoder @ covariance @ vae.encoder.T + vae.posterior_covariance
    return parts["reconstruction"] + BETA * parts["rate"] + alpha * _divergence(kind, code)


def _divergence(kind: str, code: np.ndarray) -> float:
    """Of N(0, code) from N(0, I): the average of the log ratio of the two densities, or of kernels of pairs."""
    code_root, unit = np.linalg.cholesky(code), np.eye(2)
    if kind == "mmd":
        return _kernel_mean(2 * code) + _kernel_mean(2 * unit) - 2 * _kernel_mean(code + unit)
    root, sign = (unit, -1) if kind == "inclusive" else (code_root, 1)

    def values(source) -> dict[str, np.ndarray]:
        drawn = source(2) @ root.T
        return {"divergence": sign * (log_density(drawn, code_root) - log_density(drawn, unit))}

    return mean_of_quadratic(values, 2)["divergence"]


def _kernel_mean(covariance: np.ndarray) -> float:
    """The sum over coordinates of E 1/(1 + d^2) for d ~ N(0, covariance): on this grid exact to rounding."""
    z = np.arange(-9.0, 9.01, 0.05)
    weights = np.exp(-(z**2) / 2)
    return float(sum(weights @ (1 / (1 + variance * z**2)) for variance in np.diagonal(covariance)) / weights.sum())


CHECKS = {
    "prior_families": prior_families,
    "annealed_prior": annealed_prior,
    "prior_optimum": prior_optimum,
    "prior_rotation_energy": prior_rotation_energy,
    "aggregate_penalty": aggregate_penalty,
    "aggregate_penalty_learned": aggregate_penalty_learned,
}
