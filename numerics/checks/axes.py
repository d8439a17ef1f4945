"""Checks of the results on axes: rotated latents, orthogonality, hidden factors, separation by time.

The cost of a rotation comes from training with the rotated decoder fixed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import permutations, product

import numpy as np
from scipy.integrate import quad
from scipy.linalg import eigh, expm
from scipy.optimize import minimize, minimize_scalar

import theory
from numerics.checks.rotated import rotated_covariance
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.sampling.cubature import elbo_terms_by_cubature
from numerics.sampling.estimate import Estimate
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
    for name, groups_of in {"diagonal": [[0], [1], [2]], "groups": [[0, 1], [2]]}.items():
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
    # A rotation inside the blocks of the posterior changes nothing, and one across them leaves the family.
    free = axes.rotate(vae, groups.block_rotation(3, [[0, 1], [2]], rng=302))
    change = _truncated_loss(free, [[0, 1], [2]], covariance) - unrotated
    yield compare("rotation inside the blocks", 0.0, trained=change, tolerance=TOLERANCE, scale=BETA)


def _truncated_loss(vae: LinearVAE, groups_of: list[list[int]], covariance: np.ndarray) -> float:
    """The loss if the posterior keeps its blocks only."""
    kept = np.zeros_like(vae.posterior_covariance)
    for group in groups_of:
        kept[np.ix_(group, group)] = vae.posterior_covariance[np.ix_(group, group)]
    parts = elbo_terms_by_cubature(LinearVAE(vae.decoder, vae.encoder, kept, vae.noise_variance), covariance)
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
    limits = np.array([0.1, 0.4, 0.7, 1.0])
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
    exact = axes.orthogonality_chance_level(3, rng=402)  # itself an average over draws
    rotations = np.abs(np.linalg.qr(np.random.default_rng(403).standard_normal((budget.samples, 3, 3)))[0])
    overlap = np.max([rotations[:, [0, 1, 2], order].sum(axis=1) for order in permutations(range(3))], axis=0)
    estimate = Estimate.of(np.sqrt(np.maximum(6 - 2 * overlap, 0)))
    yield compare("mean, 3 latents", exact.mean, monte_carlo=estimate, bias=5 * exact.standard_error)
    spread = float(np.sqrt(6 - 2 * overlap.mean() - estimate.value**2))
    yield compare("standard deviation, 3 latents", exact.standard_deviation, trained=spread, tolerance=0.05 * spread)


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
    of_active = np.sum((power + widths - 1 - np.log(widths))[active]) / 2
    for name, value in {"exact": full, "approximate": simple, "relative_error": simple / of_active - 1}.items():
        yield compare(f"divergence, {name}", float(getattr(kl, name)), trained=float(value), tolerance=1e-9)
    for latent, probability in enumerate(axes.collapse_probability(run.vae, np.diag(eigenvalues), 1.0)):
        # The divergence (m^2 + w - 1 - log w) / 2 is below 1 for means m up to an end, which have a normal density.
        end = np.sqrt(3 - widths[latent] + np.log(widths[latent]))
        spread = np.sqrt(power[latent])
        density = partial(_normal_density, spread)
        below = 2 * quad(density, 0, min(end, 12 * spread), epsabs=1e-12)[0]
        yield compare(f"collapse, latent {latent + 1}", float(probability), trained=below, tolerance=1e-9)

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


def _normal_density(spread: float, value: float) -> float:
    return np.exp(-((value / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))


def smallest_manipulation(budget: Budget) -> Iterator[Comparison]:
    """Two and three factors: the change of a loading, entry by entry, searched for under constraints."""
    loading = np.diag([2.0, 1.2])
    for degrees in (20, 45, 75):
        manipulation = axes.two_factor_manipulation(loading, np.deg2rad(degrees), gap=0.3)
        rotated = axes.plane_rotation(2, np.deg2rad(degrees))
        searched = _searched_change(loading, rotated, [0.3])
        yield from _manipulation_rows(f"2 factors, {degrees} degrees", manipulation, loading, rotated, searched)
    for degrees in (20, 60):  # below and beyond the angle at which the lengths tie
        manipulation = axes.two_factor_manipulation(loading, np.deg2rad(degrees))
        rotated = axes.plane_rotation(2, np.deg2rad(degrees))
        searched = _searched_change(loading, rotated)
        yield from _manipulation_rows(
            f"2 factors without a gap, {degrees} degrees", manipulation, loading, rotated, searched
        )
    loading, rotated = np.diag([1.2, 2.0]), axes.plane_rotation(2, np.deg2rad(20))[:, ::-1]  # the longer column second
    found = axes.two_factor_manipulation(loading, np.deg2rad(20), gap=0.3)
    searched = _searched_change(loading, rotated, [0.3])
    yield compare("longer column second", found.size, trained=float(np.linalg.norm(searched)), tolerance=1e-6)
    rng = np.random.default_rng(403)
    loading, basis = rng.standard_normal((4, 3)), np.linalg.qr(rng.standard_normal((3, 3)))[0]
    manipulation = axes.smallest_manipulation(loading, basis, [0.4, 0.2])
    yield from _manipulation_rows(
        "3 factors", manipulation, loading, basis, _searched_change(loading, basis, [0.4, 0.2])
    )


def _manipulation_rows(case: str, found, loading, basis, searched: np.ndarray) -> Iterator[Comparison]:
    """Size, change, changed loading, its lengths along the axes and the axes themselves, up to their signs."""
    lengths = np.linalg.norm((loading + searched) @ basis, axis=0)
    yield compare(case, found.size, trained=float(np.linalg.norm(searched)), tolerance=1e-6)
    yield compare_arrays(f"change, {case}", found.change, searched, 1e-5)
    yield compare_arrays(f"loading, {case}", found.loading, loading + searched, 1e-5)
    yield compare_arrays(f"singular values, {case}", found.singular_values, lengths, 1e-5)
    yield compare_arrays(f"axes, {case}", np.abs(found.axes), np.abs(basis), 1e-10)


def largest_angle(budget: Budget) -> Iterator[Comparison]:
    """Two factors: the angle of the leading axis, maximised over what a change of limited size can reach."""
    norms = np.array([2.0, 1.2])
    for gap in (0.1, 0.4):
        exact = axes.two_factor_largest_angle(np.diag(norms), 0.62, gap=gap)
        yield compare(f"gap {gap}", exact, trained=_searched_angle(norms, 0.62, gap), tolerance=1e-6)
    size = 0.4  # with the gap free, the best of all gaps
    found = minimize_scalar(
        lambda gap: -_searched_angle(norms, size, gap),
        bounds=(0.05, 1.0),
        method="bounded",
        options={"xatol": 1e-6},
    )
    exact = axes.two_factor_largest_angle(np.diag(norms), size)
    yield compare("gap free", exact, trained=-float(found.fun), tolerance=1e-6)


def separation_by_time(budget: Budget) -> Iterator[Comparison]:
    """Three factors of different autocorrelation, which the model knows; and separated series."""
    rng = np.random.default_rng(404)
    loading, autocorrelations, noise = rng.standard_normal((4, 3)), np.array([0.8, 0.4, -0.3]), 0.2
    truth = axes.TemporalModel(loading, autocorrelations, noise)
    for lag in (0, 1, 2):
        by_hand = (loading * autocorrelations**lag) @ loading.T + (noise * np.eye(4) if lag == 0 else 0.0)
        yield compare_arrays(f"covariance at lag {lag}", truth.lagged_covariance(lag), by_hand, 1e-13)
    exact = axes.separate(truth.covariance, truth.lagged_covariance(), 3)
    yield compare_arrays("lag correlations", exact.lag_correlations, autocorrelations, 1e-10)
    yield compare_arrays("demixing times loading", np.abs(exact.demixing @ loading), np.eye(3), 1e-9)
    yield compare_arrays("loading", np.abs(exact.loading), np.abs(loading), 1e-9)
    yield compare("noise variance", exact.noise_variance, trained=noise, tolerance=1e-12)
    yield compare("rank", exact.rank, trained=3)
    # Without noise, and as many factors as dimensions: a generalised eigenvalue problem.
    square = axes.TemporalModel(loading[:3], autocorrelations, 0.0)
    correlations, directions = eigh(square.lagged_covariance(), square.covariance)
    exact = axes.separate(square.covariance, square.lagged_covariance(), 3, noise_variance=0.0)
    yield compare_arrays("lag correlations, no noise", exact.lag_correlations, correlations[::-1], 1e-10)
    yield compare_arrays("demixing, no noise", np.abs(exact.demixing), np.abs(directions.T[::-1]), 1e-9)
    batches = []
    for _ in range(BATCHES):
        separation = axes.separate_series(truth.sample(budget.samples // BATCHES, rng)[1], 3)
        batches.append([*separation.lag_correlations, *np.abs(separation.demixing @ loading).max(axis=1)])
    # The errors of the second order in 1/sqrt(n), which batches share.
    bias = 20 * BATCHES / budget.samples
    for index, (value, values) in enumerate(zip([*autocorrelations, 1, 1, 1], np.transpose(batches), strict=True)):
        name = f"{'lag correlation' if index < 3 else 'demixed loading'} {index % 3 + 1} of series"
        yield compare(name, float(value), monte_carlo=Estimate.of(values), bias=bias)


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


def _searched_change(loading: np.ndarray, basis: np.ndarray, gaps: list[float] | None = None) -> np.ndarray:
    """The change of least norm after which the columns in the new basis are orthogonal and differ by the gaps.

    Without gaps their lengths are in descending order.
    """
    pairs = np.triu_indices(len(basis), 1)

    def columns(entries):
        return (loading + entries.reshape(loading.shape)) @ basis

    def falls(entries):
        lengths = np.linalg.norm(columns(entries), axis=0)
        return lengths[:-1] - lengths[1:] - (0.0 if gaps is None else gaps)

    def products(entries):
        return (columns(entries).T @ columns(entries))[pairs]

    kind = "ineq" if gaps is None else "eq"

    def violations(entries):
        return np.concatenate([products(entries), falls(entries) if gaps else np.minimum(falls(entries), 0.0)])

    rng = np.random.default_rng(0)
    runs = [
        minimize(
            lambda entries: entries @ entries,
            rng.standard_normal(loading.size),
            jac=lambda entries: 2 * entries,
            constraints=[{"type": "eq", "fun": products}, {"type": kind, "fun": falls}],
            method="SLSQP",
            options={"ftol": 1e-15, "maxiter": 500},
        )
        for _ in range(6)
    ]
    best = min((run for run in runs if np.abs(violations(run.x)).max() < 1e-8), key=lambda run: run.fun)
    return best.x.reshape(loading.shape)


def _searched_angle(norms: np.ndarray, budget: float, gap: float) -> float:
    """The largest angle over loadings U diag(s) R^T within the budget; U and R rotations, s a gap apart."""

    def slack(parameters):
        outer, angle, smaller = parameters
        changed = axes.plane_rotation(2, outer) * [smaller + gap, smaller] @ axes.plane_rotation(2, angle).T
        return budget**2 - np.sum((changed - np.diag(norms)) ** 2)

    with warnings.catch_warnings():
        # SciPy 1.15 reports it when a step of SLSQP leaves the bounds by rounding, and clips it.
        warnings.filterwarnings("ignore", "Values in x were outside bounds", RuntimeWarning)
        runs = [
            minimize(
                lambda parameters: -parameters[1],
                [0.1, 0.1, smaller],
                bounds=[(-np.pi, np.pi), (0, np.pi / 2), (0, None)],
                constraints={"type": "ineq", "fun": slack},
                method="SLSQP",
                options={"ftol": 1e-14, "maxiter": 500},
            )
            for smaller in (0.5, 1.0, 1.5)
        ]
    return float(max(run.x[1] for run in runs if slack(run.x) > -1e-10))


CHECKS = {
    "rotation_energy": rotation_energy,
    "two_mode_rotation_energy": two_mode_rotation_energy,
    "rotation_curvature": rotation_curvature,
    "orthogonality_chance": orthogonality_chance,
    "polarized_regime": polarized_regime,
    "smallest_manipulation": smallest_manipulation,
    "largest_angle": largest_angle,
    "separation_by_time": separation_by_time,
}
