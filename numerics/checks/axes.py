"""Checks of the results on axes: rotated latents, distance to orthogonality, the polarized regime.

The cost of a rotation comes from training with the rotated decoder fixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import permutations, product

import numpy as np
from scipy.integrate import quad
from scipy.linalg import block_diag, expm

import theory
from numerics.checks.rotated import rotated_covariance
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.cubature import elbo_terms_by_cubature, points_of_normal
from numerics.sampling.estimate import Estimate
from numerics.sweeps.complete import complete_sweep
from numerics.training.train import train
from theory import axes, groups
from theory.model import LinearVAE

__all__ = ["BETA", "CHECKS", "EIGENVALUES", "NOISE", "optimum_of"]


BETA, NOISE = 1.3, 0.4
EIGENVALUES = np.array([4.0, 2.0, 1.0, 0.3])
BATCHES = 25
TOLERANCE = 1e-9  # of a difference of two trained losses


def rotation_energy(budget: Budget) -> Iterator[Comparison]:
    """Three latents rotated in general position, with a diagonal, a grouped and a full posterior, learned again."""
    covariance, vae = optimum_of(3)
    rotation = np.linalg.qr(np.random.default_rng(301).standard_normal((3, 3)))[0]
    decoder = vae.decoder @ rotation.T
    unrotated = _loss_with_fixed(covariance, vae.decoder, "full")
    for name, posterior in {"diagonal": "diagonal", "groups": [[0, 1], [2]], "full": "full"}.items():
        exact = axes.rotation_energy(vae.decoder, NOISE, BETA, rotation, posterior=posterior)
        trained = _loss_with_fixed(covariance, decoder, posterior) - unrotated
        yield compare(f"learned again, {name}", exact, trained=trained, tolerance=TOLERANCE, scale=BETA)
    rotated = axes.rotate(vae, rotation)
    for name, groups_of in {"diagonal": [[0], [1], [2]], "groups": [[0, 1], [2]], "full": [[0, 1, 2]]}.items():
        options = {"posterior": groups_of, "encoder": "truncated"}
        exact = axes.rotation_energy(vae.decoder, NOISE, BETA, rotation, **options)
        moved = _truncated_loss(rotated, groups_of, covariance) - unrotated
        yield compare(f"truncated, {name}", exact, trained=moved, tolerance=TOLERANCE, scale=BETA)
    moved = LinearVAE(
        vae.decoder, vae.encoder, vae.posterior_covariance, NOISE, np.linspace(-0.5, 0.5, len(covariance))
    )
    data = theory.Moments(0, np.linspace(0.3, 0.9, len(covariance)), covariance)
    turned, before = (elbo_terms_by_cubature(one, data) for one in (axes.rotate(moved, rotation), moved))
    for part in ("reconstruction", "rate"):
        yield compare(f"{part} with a mean, rotated", turned[part], trained=before[part], tolerance=1e-11)
    # A small rotation: of the loss less that at the axes only the rounding is left.
    small = axes.plane_rotation(3, 1e-3, 0, 2)
    for encoder in ("reoptimised", "truncated"):
        exact = axes.rotation_energy(vae.decoder, NOISE, BETA, small, encoder=encoder)
        if encoder == "truncated":
            loss = _truncated_loss(axes.rotate(vae, small), [[0], [1], [2]], covariance)
        else:
            loss = _loss_with_fixed(covariance, vae.decoder @ small.T, "diagonal")
        yield compare(f"rotation by 0.001, {encoder}", exact, trained=loss - unrotated, tolerance=1e-12)
    yield from _with_a_wider_prior(covariance, vae, rotation)
    # A rotation inside the blocks of the posterior changes nothing, and one across them leaves the family.
    free = axes.rotate(vae, groups.block_rotation(3, [[0, 1], [2]], rng=302))
    change = _truncated_loss(free, [[0, 1], [2]], covariance) - unrotated
    yield compare("rotation inside the blocks", 0.0, trained=change, tolerance=TOLERANCE, scale=BETA)


def _with_a_wider_prior(covariance: np.ndarray, vae: LinearVAE, rotation: np.ndarray) -> Iterator[Comparison]:
    variance, uniform = 2.5, [groups.Weights.uniform(BETA)]
    prior, decoder = variance * np.eye(3), vae.decoder @ rotation.T
    options = {"noise_variance": NOISE, "decoder": decoder, "prior": prior, "gradient_tolerance": 1e-9}
    families = {"diagonal": [[0], [1], [2]], "groups": [[0, 1], [2]], "full": "full"}
    done = {
        name: complete_sweep(covariance, 3, betas=uniform, groups="diagonal", posterior=family, **options)
        for name, family in families.items()
    }
    full, of_full = float(done["full"].losses[0, 0]), done["full"].vae(0, 0)
    for name in ("diagonal", "groups"):
        losses = {
            "reoptimised": float(done[name].losses[0, 0]),
            "truncated": _truncated_loss(of_full, families[name], covariance, prior),
        }
        for encoder, loss in losses.items():
            given = {"posterior": families[name], "encoder": encoder, "prior_variance": variance}
            exact = axes.rotation_energy(vae.decoder, NOISE, BETA, rotation, **given)
            quantity = f"{encoder}, a wider prior, {name}"
            yield compare(quantity, exact, trained=loss - full, tolerance=TOLERANCE, scale=BETA)


def _truncated_loss(vae: LinearVAE, groups_of: list[list[int]], covariance: np.ndarray, prior=None) -> float:
    """The loss if the posterior keeps its blocks only."""
    kept = np.zeros_like(vae.posterior_covariance)
    for group in groups_of:
        kept[np.ix_(group, group)] = vae.posterior_covariance[np.ix_(group, group)]
    parts = elbo_terms_by_cubature(LinearVAE(vae.decoder, vae.encoder, kept, vae.noise_variance), covariance, prior)
    return parts["reconstruction"] + BETA * parts["rate"]


def two_mode_rotation_energy(budget: Budget) -> Iterator[Comparison]:
    """Two latents at several angles; the posterior learned again, or rotated with its off-diagonals dropped."""
    covariance, vae = optimum_of(2)
    precisions = 1 / np.diagonal(vae.posterior_covariance)
    unrotated = _loss_with_fixed(covariance, vae.decoder, "diagonal")
    for degrees in (0, 20, 45, 90):
        angle = np.deg2rad(degrees)
        rotated = axes.rotate(vae, axes.plane_rotation(2, angle))
        unchanged, parts = (elbo_terms_by_cubature(one, covariance) for one in (vae, rotated))
        for part in ("reconstruction", "mutual_information"):  # with the rotated, full posterior
            yield compare(f"{part}, {degrees} degrees", parts[part], trained=unchanged[part], tolerance=1e-12)
        exact = axes.two_mode_rotation_energy(*precisions, angle, BETA)
        trained = _loss_with_fixed(covariance, rotated.decoder, "diagonal") - unrotated
        yield compare(f"learned again, {degrees} degrees", exact, trained=trained, tolerance=TOLERANCE, scale=BETA)
        exact = axes.two_mode_rotation_energy(*precisions, angle, BETA, encoder="truncated")
        moved = _truncated_loss(rotated, [[0], [1]], covariance) - unrotated
        yield compare(f"truncated, {degrees} degrees", exact, trained=moved, tolerance=TOLERANCE, scale=BETA)


def rotation_curvature(budget: Budget) -> Iterator[Comparison]:
    """Second differences of the trained loss as one plane of three latents rotates, or all three."""
    covariance, vae = optimum_of(3)
    precisions, step = 1 / np.diagonal(vae.posterior_covariance), 0.02
    largest = np.max(axes.rotation_curvature(precisions, BETA))
    for name, rates, posterior in (
        ("plane 1, 2", [1.0, 0.0, 0.0], "diagonal"),
        ("plane 2, 3", [0.0, 0.0, 1.0], "diagonal"),
        ("general direction", [0.6, -1.0, 0.8], "diagonal"),
        ("general direction, blocks", [0.6, -1.0, 0.8], [[0, 1], [2]]),
    ):
        generator = np.zeros((3, 3))
        generator[np.triu_indices(3, 1)] = rates
        generator -= generator.T
        energies = {
            steps: _loss_with_fixed(covariance, vae.decoder @ expm(steps * step * generator).T, posterior)
            for steps in (-2, -1, 0, 1, 2)
        }
        near, far = energies[1] + energies[-1] - 2 * energies[0], energies[2] + energies[-2] - 2 * energies[0]
        exact = np.sum(np.triu(axes.rotation_curvature(precisions, BETA, posterior=posterior) * generator**2))
        # The next order of the differences is step^4 = 1.6e-7 times a sixth derivative of the energy.
        yield compare(name, exact, trained=(16 * near - far) / (12 * step**2), tolerance=1e-4 * largest)
    planes = ((0, 1), (0, 2), (1, 2))
    for posterior in ("diagonal", [[0, 1], [2]], [[0], [1, 2]]):
        rotated = [vae.decoder @ axes.plane_rotation(3, 0.4, *plane).T for plane in planes]
        at_axes = _loss_with_fixed(covariance, vae.decoder, posterior)
        free = sum(_loss_with_fixed(covariance, decoder, posterior) - at_axes < 1e-6 for decoder in rotated)
        exact = groups.free_planes(precisions, posterior=posterior)
        yield compare(f"free planes, {posterior}", exact, trained=int(free), scale=1.0)
    tied = vae.decoder / np.linalg.norm(vae.decoder, axis=0) * [1.5, 1.0, 1.0]
    at_axes = _loss_with_fixed(covariance, tied, "diagonal")
    rotated = [tied @ axes.plane_rotation(3, 0.4, *plane).T for plane in planes]
    free = sum(_loss_with_fixed(covariance, decoder, "diagonal") - at_axes < 1e-6 for decoder in rotated)
    exact = groups.free_planes(1 + np.array([1.5, 1.0, 1.0]) ** 2 / (BETA * NOISE))
    yield compare("free planes, equal columns", exact, trained=int(free), scale=1.0)


def orthogonality_chance(budget: Budget) -> Iterator[Comparison]:
    """Distances of matrices from the eight signed permutations: averages over all rotations, and Gaussian decoders."""
    exact = axes.orthogonality_chance_level(2)
    mean_square = exact.mean**2 + exact.standard_deviation**2
    for name, value, power in (("mean, 2 latents", exact.mean, 1), ("mean square, 2 latents", mean_square, 2)):
        # Every sixteenth of the circle has the same distances, those of the angles up to 45 degrees.
        average = quad(lambda angle, power=power: _distance(angle) ** power, 0, np.pi / 4, epsabs=1e-13)[0] / (
            np.pi / 4
        )
        yield compare(name, value, trained=average, tolerance=1e-11)
    right = np.linalg.svd(np.random.default_rng(401).standard_normal((budget.samples, 2, 2)))[2]
    distances = _distance(np.arctan2(right[:, 0, 1], right[:, 0, 0]))
    yield compare("mean, Gaussian decoders", exact.mean, monte_carlo=Estimate.of(distances))
    angles = (np.arange(200_000) + 0.5) / 200_000 * np.pi / 4
    limits = np.array([0.1, 0.4, 0.7, 1.0, 1.2])  # the last beyond the largest distance
    shares = [np.mean(_distance(angles) <= limit) for limit in limits]
    yield compare_arrays("distribution, 2 latents", axes.orthogonality_distribution(limits), shares, 1e-5)
    for size in (2, 3):
        decoder = np.random.default_rng(404).standard_normal((5, size))
        found = axes.distance_to_orthogonality(decoder).distance
        directions = np.linalg.svd(decoder)[2].T
        signed = [
            np.eye(size)[list(order)] * signs
            for order in permutations(range(size))
            for signs in product((1.0, -1.0), repeat=size)
        ]
        nearest = min(np.linalg.norm(directions - one) for one in signed)
        yield compare(f"distance of a decoder, {size} latents", found, trained=float(nearest), tolerance=1e-12)
    wide = np.insert(decoder, 1, 0.7, axis=1)
    masked = axes.distance_to_orthogonality(wide, active=[True, False, True, True]).distance
    yield compare("distance with a latent left out", masked, trained=float(nearest), tolerance=1e-12)
    # Equal singular values: the directions of the two may turn, to be nearest to a signed permutation.
    left, right = (np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0] for seed in (405, 406))
    found = axes.distance_to_orthogonality((left * [2.0, 1.0, 1.0]) @ right.T).distance
    angles = np.linspace(0, 2 * np.pi, 721)
    turns = np.array([block_diag(1.0, axes.plane_rotation(2, angle)) for angle in angles])
    nearest = min(_least_distance(right, turns, one) for one in signed)
    yield compare("distance with equal singular values", found, trained=nearest, tolerance=1e-9)
    found = axes.distance_to_orthogonality(1.7 * left).distance  # columns that are orthogonal already
    yield compare("distance of orthogonal columns of equal length", found, trained=0.0, tolerance=1e-12, scale=1.0)
    yield from _unusual_decoders()
    exact = axes.orthogonality_chance_level(3, rng=402)  # itself an average over draws
    rotations = np.abs(np.linalg.qr(np.random.default_rng(403).standard_normal((budget.samples, 3, 3)))[0])
    overlap = np.max([rotations[:, [0, 1, 2], order].sum(axis=1) for order in permutations(range(3))], axis=0)
    estimate = Estimate.of(np.sqrt(np.maximum(6 - 2 * overlap, 0)))
    yield compare("mean, 3 latents", exact.mean, monte_carlo=estimate, bias=5 * exact.standard_error)
    spread = float(np.sqrt(6 - 2 * overlap.mean() - estimate.value**2))
    yield compare("standard deviation, 3 latents", exact.standard_deviation, trained=spread, tolerance=0.05 * spread)


def _unusual_decoders() -> Iterator[Comparison]:
    """Singular values that are known, beside a latent without a column; more latents than data; and a single latent."""
    mirror = np.eye(3) - 2 / 3  # orthogonal, and its own inverse
    for lengths in ([2.0, 1.0, 0.5], [2.0, 1.0, 1.0], [2.0, 0.0, 0.0]):
        found = axes.distance_to_orthogonality(np.insert(mirror * lengths @ mirror, 1, 0.0, axis=1))
        yield compare_arrays(f"latents in use, {lengths}", found.active, [True, False, True, True], 0.0, scale=1.0)
        yield compare_arrays(f"singular values, {lengths}", found.singular_values, lengths, 1e-12)
        equal = [lengths.count(length) > 1 for length in lengths]
        yield compare_arrays(f"singular values that tie, {lengths}", found.tied, equal, 0.0, scale=1.0)
    wide = axes.distance_to_orthogonality([[0.6, 0.2]]).distance
    yield compare("distance of one row", wide, trained=float(_distance(np.arctan2(0.2, 0.6))), tolerance=1e-12)
    single = axes.orthogonality_chance_level(1)
    distances = [min(abs(one - sign) for sign in (1.0, -1.0)) for one in (1.0, -1.0)]  # of all of O(1)
    yield compare("mean, 1 latent", single.mean, trained=float(np.mean(distances)), scale=1.0)
    spread = float(np.std(distances))
    yield compare("standard deviation, 1 latent", single.standard_deviation, trained=spread, scale=1.0)


def _least_distance(right: np.ndarray, turns: np.ndarray, target: np.ndarray) -> float:
    """Of an orthogonal matrix from a target, over turns of its columns; the overlap is a wave in the angle."""
    overlap = np.sum((right @ turns) * target, axis=(1, 2))
    mean, wave = overlap[:-1].mean(), np.fft.rfft(overlap[:-1])[1]
    return float(np.sqrt(max(0.0, 2 * len(right) - 2 * (mean + 2 * abs(wave) / (len(overlap) - 1)))))


def _distance(angle):
    """Of a rotation, or a reflection, from the nearest signed permutation."""
    return np.sqrt(np.maximum(4 - 4 * np.maximum(np.abs(np.cos(angle)), np.abs(np.sin(angle))), 0))


def polarized_regime(budget: Budget) -> Iterator[Comparison]:
    """The relative error of the polarized divergence, for a trained model; and how often a latent carries little."""
    eigenvalues, beta, noise = np.array([4.0, 2.0, 0.3]), 1.2, 0.3
    run = train(np.diag(eigenvalues), 3, beta=beta, noise_variance=noise, gradient_tolerance=1e-9)
    widths = np.diagonal(run.vae.posterior_covariance)
    power = np.diagonal(run.vae.encoder * eigenvalues @ run.vae.encoder.T)
    active = widths < 0.9  # one eigenvalue is below the water level, the variances of the others are far below 1
    error = -np.sum(widths[active]) / np.sum((power + widths - 1 - np.log(widths))[active])
    exact = axes.polarized_relative_error(eigenvalues, beta * noise, 3)
    yield compare("relative error", exact, trained=float(error), tolerance=1e-6)
    full = np.sum(power + widths - 1 - np.log(widths)) / 2
    simple = np.sum((power - 1 - np.log(widths))[active]) / 2
    kl = axes.polarized_kl(run.vae, np.diag(eigenvalues))
    first = axes.polarized_kl(run.vae, np.diag(eigenvalues), active=[latent == 0 for latent in range(3)])
    of_first = (power[0] - 1 - np.log(widths[0])) / 2
    yield compare("divergence of the first alone", first.approximate, trained=float(of_first), tolerance=1e-9)
    weak = np.array([2.0, 0.6, 0.4])  # two of them near the water level
    options = {"beta": beta, "noise_variance": noise, "gradient_tolerance": 1e-10}
    for name, latent_dim in {"near the water level": None, "of one latent": 1}.items():
        vae = train(np.diag(weak), latent_dim or len(weak), **options).vae
        narrow = np.diagonal(vae.posterior_covariance)
        spread = np.diagonal(vae.encoder * weak @ vae.encoder.T)
        found = -np.sum(narrow) / np.sum(spread + narrow - 1 - np.log(narrow))
        exact = axes.polarized_relative_error(weak, beta * noise, latent_dim)
        yield compare(f"relative error {name}", exact, trained=float(found), tolerance=1e-6)
    of_active = np.sum((power + widths - 1 - np.log(widths))[active]) / 2
    for name, value in {"exact": full, "approximate": simple, "relative_error": simple / of_active - 1}.items():
        yield compare(f"divergence, {name}", float(getattr(kl, name)), trained=float(value), tolerance=1e-9)
    for epsilon in (0.3, 1.0, 2.0):  # the active latents are never below the first
        for latent, probability in enumerate(axes.collapse_probability(run.vae, np.diag(eigenvalues), epsilon)):
            # The divergence (m^2 + w - 1 - log w) / 2 is below epsilon for means m up to an end, which are normal.
            end = np.sqrt(max(0.0, 2 * epsilon + 1 - widths[latent] + np.log(widths[latent])))
            spread = np.sqrt(power[latent])
            density = partial(_normal_density, spread)
            below = 2 * quad(density, 0, min(end, 12 * spread), epsabs=1e-12)[0]
            quantity = f"collapse below {epsilon}, latent {latent + 1}"
            yield compare(quantity, float(probability), trained=below, tolerance=1e-9, scale=1.0)

    offset, centred = np.array([0.4, -0.3, 0.2]), replace(run.vae, mean=np.zeros(3))
    data = theory.Moments(0, offset, np.diag(eigenvalues))  # away from the mean of the model
    means = run.vae.encoder @ offset
    shifted = axes.polarized_kl(centred, data)
    yield compare("divergence with a mean", shifted.exact, trained=full + np.sum(means**2) / 2, tolerance=1e-9)
    for latent, probability in enumerate(axes.collapse_probability(centred, data, 1.0)):
        end, spread = np.sqrt(3 - widths[latent] + np.log(widths[latent])), np.sqrt(power[latent])
        if spread < 1e-6:  # a point
            continue
        mean, density = means[latent], partial(_normal_density, spread)
        below, _ = quad(lambda m, mean=mean, density=density: density(m - mean), -end, end, epsabs=1e-12, points=[mean])
        quantity = f"collapse with a mean, latent {latent + 1}"
        yield compare(quantity, float(probability), trained=below, tolerance=1e-9)
    activity = axes.latent_activity(run.vae, np.diag(eigenvalues))
    yield compare_arrays("variance of the means", activity.mean_variance, power, 1e-12)
    yield compare_arrays("order parameter", activity.order_parameter, power / (power + widths), 1e-12)
    yield compare("active latents", activity.count, trained=int(active.sum()), scale=1.0)
    yield from _barely_used_latents()


def _barely_used_latents() -> Iterator[Comparison]:
    """Means of variance .04, .0025 and zero: active by the usual threshold of .01; and a latent that never varies."""
    slopes, widths = np.array([0.2, 0.05, 0.0]), np.array([0.5, 0.9, 0.6])
    vae = LinearVAE(np.eye(3), np.diag(slopes), np.diag(widths), NOISE)
    variances = np.var(points_of_normal(3) * slopes, axis=0)
    activity = axes.latent_activity(vae, np.eye(3))
    yield compare_arrays("active by the usual threshold", activity.active, variances > 0.01, 0.0, scale=1.0)
    shares = variances / (variances + widths)
    yield compare_arrays("order parameter, barely used", activity.order_parameter, shares, 1e-12)
    divergence = (widths[2] - 1 - np.log(widths[2])) / 2  # of the constant latent at every x, .055
    for epsilon in (0.05, 0.06):
        stated = float(axes.collapse_probability(vae, np.eye(3), epsilon)[2])
        yield compare(f"collapse below {epsilon}, constant", stated, trained=float(divergence < epsilon), scale=1.0)
    undefined = np.isnan(axes.polarized_relative_error([0.2, 0.1], 0.3))
    idle = train(np.diag([0.2, 0.1]), 2, beta=1.0, noise_variance=0.3, gradient_tolerance=1e-9)
    rate = elbo_terms_by_cubature(idle.vae, np.diag([0.2, 0.1]))["rate"]
    yield compare("no relative error of a zero divergence", float(undefined), trained=float(rate < 1e-9), scale=1.0)


def _normal_density(spread: float, value: float) -> float:
    return np.exp(-((value / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))


def optimum_of(latent_dim: int) -> tuple[np.ndarray, LinearVAE]:
    """A data covariance with the `EIGENVALUES`, off the axes, and the optimal VAE of so many latents."""
    covariance = rotated_covariance(EIGENVALUES, 302)
    return covariance, theory.optimum(covariance, latent_dim, beta=BETA, noise_variance=NOISE).vae


def _loss_with_fixed(covariance: np.ndarray, decoder: np.ndarray, posterior) -> float:
    """The loss of an encoder trained for a fixed decoder."""
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
    "orthogonality_chance": orthogonality_chance,
    "polarized_regime": polarized_regime,
}
