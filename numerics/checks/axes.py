"""Checks of what is known about axes: rotated latents and priors, by training, search and sampled codes.

The price of rotations is found by training with the rotated decoder held. Priors other than N(0, I) are not trained:
there a general-purpose search minimises the loss as it is defined.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import expm
from scipy.optimize import minimize

import theory
from numerics.checks.comparison import Effort, Row, compare, compare_arrays
from numerics.monte_carlo import Estimate
from numerics.training import train
from theory import axes
from theory.model import LinearVAE

__all__ = ["CHECKS"]

BETA, NOISE = 1.3, 0.4
EIGENVALUES = np.array([4.0, 2.0, 1.0, 0.3])
TOLERANCE = 1e-9  # of a difference of two trained losses
SEARCH_TOLERANCE = 1e-7  # of a loss found by a search with numerical differences


def rotation_energy(effort: Effort) -> Iterator[Row]:
    """Three latents turned in general position, with a diagonal, a grouped and a full posterior, learned again."""
    covariance, vae = _optimum(3)
    rotation = np.linalg.qr(np.random.default_rng(301).standard_normal((3, 3)))[0]
    decoder = vae.decoder @ rotation.T
    unrotated = _held(covariance, vae.decoder, "full")
    for name, posterior in {"diagonal": "diagonal", "groups": [[0, 1], [2]], "full": "full"}.items():
        exact = axes.rotation_energy(vae.decoder, NOISE, BETA, rotation, posterior=posterior)
        trained = _held(covariance, decoder, posterior) - unrotated
        yield compare(f"learned again, {name}", exact, trained=trained, tolerance=TOLERANCE)


def two_mode_rotation_energy(effort: Effort) -> Iterator[Row]:
    """Two latents at several angles; the posterior learned again, or rotated with its off-diagonals dropped."""
    covariance, vae = _optimum(2)
    precisions = 1 / np.diagonal(vae.posterior_covariance)
    unrotated = _held(covariance, vae.decoder, "diagonal")
    for degrees in (0, 20, 45, 90):
        angle = np.deg2rad(degrees)
        rotated = axes.rotate(vae, axes.plane_rotation(2, angle))
        exact = axes.two_mode_rotation_energy(*precisions, angle, BETA)
        trained = _held(covariance, rotated.decoder, "diagonal") - unrotated
        yield compare(f"learned again, {degrees} degrees", exact, trained=trained, tolerance=TOLERANCE)
        truncated = LinearVAE(
            rotated.decoder, rotated.encoder, np.diag(np.diagonal(rotated.posterior_covariance)), NOISE
        )
        loss = theory.elbo_terms(truncated, covariance).loss(BETA)
        exact = axes.two_mode_rotation_energy(*precisions, angle, BETA, encoder="truncated")
        yield compare(f"truncated, {degrees} degrees", exact, trained=loss - unrotated, tolerance=TOLERANCE)


def rotation_curvature(effort: Effort) -> Iterator[Row]:
    """Second differences of the trained loss as one plane of three latents turns, or all at once."""
    covariance, vae = _optimum(3)
    curvature = axes.rotation_curvature(1 / np.diagonal(vae.posterior_covariance), BETA)
    step = 0.02
    turns = {"plane 1, 2": [1.0, 0.0, 0.0], "plane 2, 3": [0.0, 0.0, 1.0], "general direction": [0.6, -1.0, 0.8]}
    for name, rates in turns.items():
        generator = np.zeros((3, 3))
        generator[np.triu_indices(3, 1)] = rates
        generator -= generator.T
        energies = {
            steps: _held(covariance, vae.decoder @ expm(steps * step * generator).T, "diagonal")
            for steps in (-2, -1, 0, 1, 2)
        }
        near, far = energies[1] + energies[-1] - 2 * energies[0], energies[2] + energies[-2] - 2 * energies[0]
        exact = np.sum(np.triu(curvature * generator**2))
        # The next order of the differences is step^4 = 1.6e-7 times a sixth derivative of the energy.
        yield compare(name, exact, trained=(16 * near - far) / (12 * step**2), tolerance=1e-4 * np.max(curvature))


def annealed_prior(effort: Effort) -> Iterator[Row]:
    """Both forms of the identity, each part from sampled codes, with a correlated prior."""
    rng = np.random.default_rng(303)
    covariance, vae = _optimum(2)
    prior = np.array([[1.5, 0.4], [0.4, 0.7]])
    means = _draws(effort.samples, covariance, rng) @ vae.encoder.T
    noise = _draws(effort.samples, vae.posterior_covariance, rng)
    log_q, log_p = _log_density(noise, vae.posterior_covariance), _log_density(means + noise, prior)
    annealed = axes.annealed_terms(vae, covariance, BETA, prior=prior)
    yield compare("entropy", annealed.entropy, monte_carlo=_mean(-log_q))
    # The integral of the annealed density, a Gaussian-shaped function: on a grid the sum is exact to rounding.
    grid = np.linspace(-20, 20, 401)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    log_integral = np.log(np.sum(np.exp(BETA * _log_density(points, prior))) * (grid[1] - grid[0]) ** 2)
    yield compare("normaliser", annealed.log_normaliser, trained=log_integral, tolerance=1e-10)
    divergence = _mean(log_q - BETA * log_p + log_integral)
    yield compare("divergence from the annealed prior", annealed.annealed_kl, monte_carlo=divergence)
    loss = _mean(BETA * (log_q - log_p) + annealed.reconstruction)
    yield compare("loss, annealed", annealed.loss, monte_carlo=loss)
    yield compare("loss, rescaled", axes.rescaled_terms(vae, covariance, BETA, prior=prior).loss, monte_carlo=loss)


def prior_optimum(effort: Effort) -> Iterator[Row]:
    """Decoder, encoder and a full posterior searched for each prior from a random start."""
    covariance = np.diag(EIGENVALUES[:3])
    priors = {
        "anisotropic": axes.GaussianPrior.anisotropic([3.0, 0.5]),
        "student": axes.StudentPrior(2.0, 2),
        "clusters": axes.ClusterPrior(),
    }
    for name, prior in priors.items():
        exact = axes.prior_optimum(covariance, prior, beta=BETA, noise_variance=NOISE)
        found = _searched(covariance, lambda vae, p=prior: _loss_with(p, vae, covariance), seed=304)
        terms = theory.elbo_terms(found, covariance)
        yield compare(
            f"loss, {name}", exact.loss, trained=_loss_with(prior, found, covariance), tolerance=SEARCH_TOLERANCE
        )
        # At a minimum the rest is off by about the square root of that.
        yield compare(f"distortion, {name}", exact.distortion, trained=terms.distortion, tolerance=5e-3)
        yield compare(
            f"information, {name}", exact.mutual_information, trained=terms.mutual_information, tolerance=5e-3
        )
        code = found.encoder @ covariance @ found.encoder.T + found.posterior_covariance
        yield compare_arrays(f"covariance of the code, {name}", axes.nearest_gaussian(prior)[0], code, 5e-3)


def prior_rotation_energy(effort: Effort) -> Iterator[Row]:
    """Gaussian codes turned under each prior, and factors of other laws, drawn and turned."""
    rng, samples = np.random.default_rng(305), effort.samples // 4  # eight estimates, all of them sharp
    rotation = axes.plane_rotation(2, 0.5)
    code = np.array([[0.9, 0.1], [0.1, 0.3]])
    priors = {
        "anisotropic": axes.GaussianPrior.anisotropic([3.0, 0.5]),
        "student": axes.StudentPrior(2.0, 2),
        "spike and slab": axes.SpikeSlabPrior(2),
        "clusters": axes.ClusterPrior(),
    }
    for name, prior in priors.items():
        exact = axes.prior_rotation_energy(prior, code, rotation, BETA)
        estimate = _turned(prior, _draws(samples, code, rng), rotation)
        yield compare(f"Gaussian code, {name}", exact, monte_carlo=estimate)
        exact = axes.factor_rotation_energy(prior, priors["spike and slab"], rotation, BETA)
        estimate = _turned(prior, priors["spike and slab"].sample(samples, rng), rotation)
        yield compare(f"sparse factors, {name}", exact, monte_carlo=estimate)


def aggregate_penalty(effort: Effort) -> Iterator[Row]:
    """Divergences of the aggregate code from sampled codes, and the encoder for a decoder that is held."""
    rng = np.random.default_rng(306)
    covariance, vae = _optimum(2)
    decoder = vae.decoder @ axes.plane_rotation(2, 0.5).T + 0.2
    for kind in ("inclusive", "exclusive", "mmd"):
        found = axes.regularised_encoder(decoder, covariance, NOISE, BETA, 2.0, divergence=kind)
        # Of twice that covariance: the code found is too near to the prior to tell divergences from zero by sampling.
        code = 2 * (found.vae.encoder @ covariance @ found.vae.encoder.T + found.vae.posterior_covariance)
        exact = axes.aggregate_divergence(code, divergence=kind)
        yield compare(kind, exact, monte_carlo=_sampled_divergence(kind, code, effort.samples, rng))

        def loss(vae, kind=kind):
            return axes.regularised_terms(vae, covariance, divergence=kind).loss(BETA, 2.0)

        searched = _searched(covariance, loss, seed=307, decoder=decoder, posterior="diagonal")
        yield compare(f"held decoder, {kind}", found.loss, trained=loss(searched), tolerance=SEARCH_TOLERANCE)


def aggregate_penalty_learned(effort: Effort) -> Iterator[Row]:
    """With a learned decoder the weight of the penalty changes nothing at the optimum."""
    covariance = np.diag(EIGENVALUES[:3])
    best = theory.optimum(covariance, 2, beta=BETA, noise_variance=NOISE)
    for kind in ("inclusive", "mmd"):

        def loss(vae, kind=kind):
            return axes.regularised_terms(vae, covariance, divergence=kind).loss(BETA, 3.0)

        found = loss(_searched(covariance, loss, seed=308, posterior="diagonal"))
        yield compare(f"loss, {kind}", best.loss, trained=found, tolerance=SEARCH_TOLERANCE)


def _searched(covariance: np.ndarray, loss, *, seed: int, decoder=None, posterior: str = "full") -> LinearVAE:
    """The VAE of two latents that minimises a loss by numerical differences; decoder free or held."""
    data_dim = len(covariance)
    size = 2 * data_dim

    def unpack(parameters):
        factor = np.diag(np.exp(parameters[size : size + 2]))
        if posterior == "full":
            factor[1, 0] = parameters[size + 2]
        held = parameters[size + 3 :].reshape(data_dim, 2) if decoder is None else decoder
        return LinearVAE(held, parameters[:size].reshape(2, data_dim), factor @ factor.T, NOISE)

    start = 0.6 * np.random.default_rng(seed).standard_normal(size + 3 + (size if decoder is None else 0))
    return unpack(minimize(lambda parameters: loss(unpack(parameters)), start, options={"gtol": 1e-6}).x)


def _loss_with(prior, vae: LinearVAE, covariance: np.ndarray) -> float:
    """The loss with any prior, from its definition: entropy of q, and the log prior over the aggregate code."""
    code = vae.encoder @ covariance @ vae.encoder.T + vae.posterior_covariance
    entropy = (2 * np.log(2 * np.pi * np.e) + np.linalg.slogdet(vae.posterior_covariance)[1]) / 2
    rate = -entropy - prior.expected_log_density(np.zeros(2), code)
    return theory.elbo_terms(vae, covariance).reconstruction + BETA * rate


def _turned(prior, codes: np.ndarray, rotation: np.ndarray) -> Estimate:
    return _mean(BETA * (prior.log_density(codes) - prior.log_density(codes @ rotation.T)))


def _sampled_divergence(kind: str, code: np.ndarray, samples: int, rng: np.random.Generator) -> Estimate:
    """Log ratios of the two densities, or kernels of independent pairs, of N(0, code) against N(0, I)."""
    codes, others = (_draws(samples, code, rng) for _ in range(2))
    priors, more = (_draws(samples, np.eye(2), rng) for _ in range(2))
    if kind == "mmd":
        pairs = [(codes, others, 1), (priors, more, 1), (codes, priors, -1), (others, more, -1)]
        return _mean(sum(sign / (1 + (x - y) ** 2) for x, y, sign in pairs).sum(axis=1))
    drawn, sign = (priors, -1) if kind == "inclusive" else (codes, 1)
    return _mean(sign * (_log_density(drawn, code) - _log_density(drawn, np.eye(2))))


def _draws(samples: int, covariance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((samples, len(covariance))) @ np.linalg.cholesky(covariance).T


def _log_density(values: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    whitened = np.linalg.solve(np.linalg.cholesky(covariance), values.T)
    return -(np.sum(whitened**2, axis=0) + np.linalg.slogdet(2 * np.pi * covariance)[1]) / 2


def _mean(values: np.ndarray) -> Estimate:
    return Estimate(float(values.mean()), float(values.std() / np.sqrt(len(values))))


def _optimum(latent_dim: int) -> tuple[np.ndarray, LinearVAE]:
    basis = np.linalg.qr(np.random.default_rng(302).standard_normal((len(EIGENVALUES), len(EIGENVALUES))))[0]
    covariance = (basis * EIGENVALUES) @ basis.T
    return covariance, theory.optimum(covariance, latent_dim, beta=BETA, noise_variance=NOISE).vae


def _held(covariance: np.ndarray, decoder: np.ndarray, posterior) -> float:
    """The loss of an encoder trained for a decoder that is held."""
    run = train(
        covariance,
        decoder.shape[1],
        beta=BETA,
        noise_variance=NOISE,
        decoder=decoder,
        posterior=posterior,
        gradient_tolerance=1e-9,
    )
    return run.loss


CHECKS = {
    "rotation_energy": rotation_energy,
    "two_mode_rotation_energy": two_mode_rotation_energy,
    "rotation_curvature": rotation_curvature,
    "annealed_prior": annealed_prior,
    "prior_optimum": prior_optimum,
    "prior_rotation_energy": prior_rotation_energy,
    "aggregate_penalty": aggregate_penalty,
    "aggregate_penalty_learned": aggregate_penalty_learned,
}
