"""What the functions of `theory.axes` compute, on the pages of the chapter axes."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

import theory
from theory.axes import TemporalModel, latent_activity, plane_rotation, two_factor_manipulation
from theory.axes.orthogonal import random_orthogonal
from theory.derivations.engine.tie import Formula, Tie
from theory.derivations.ties.inputs import random_covariance, random_model
from theory.partition import partition, partition_mask

__all__ = ["TIES", "UNTIED"]

# Precisions of two modes: distinct, hardly and not at all, and one of them collapsed.
PAIRS = ((6.0, 1.5), (1.2, 3.4), (2.0, 2.001), (2.5, 2.5), (9.0, 1.0))
PRECISIONS = np.array([6.0, 1.5, 3.0, 3.0, 1.0])
PARTITIONS = ("diagonal", [[0, 1], [2, 4], [3]], [[0, 2, 4], [1, 3]], "full")

# Norms of two orthogonal columns, an angle up to 45 degrees, and a gap between the new singular values.
COLUMNS = ((2.0, 1.3, 0.6, 0.4), (1.5, 1.4, 0.1, 0.9), (3.0, 0.5, 0.7, 1.2), (1.1, 1.0, 0.3, 0.05))


def _energy(encoder: str):
    def cases(two_mode_rotation_energy, formula):
        angles = np.linspace(-1.0, 2.3, 7)
        for (p_1, p_2), beta in zip(PAIRS, (0.4, 1.0, 2.0, 3.0, 1.7), strict=True):
            wanted = formula(p_1=p_1, p_2=p_2, theta=angles, beta=beta)
            yield two_mode_rotation_energy(p_1, p_2, angles, beta, encoder=encoder), wanted

    return cases


def _energy_of_a_decoder(encoder: str):
    """Of two latents whose columns are not orthogonal, and in the plane of two modes of four latents."""

    def cases(rotation_energy, formula):
        rng = np.random.default_rng(1)
        for beta, angle in ((0.5, 0.3), (1.0, -0.8), (2.0, 1.9)):
            decoder = rng.standard_normal((3, 2))
            precisions, axes = _modes(decoder, 0.6, beta)
            rotated = plane_rotation(2, angle) @ axes
            theta = np.arctan2(rotated[1, 0], rotated[0, 0])
            found = rotation_energy(decoder, 0.6, beta, plane_rotation(2, angle), encoder=encoder)
            yield found, formula(p_1=precisions[0], p_2=precisions[1], theta=theta, beta=beta)
            modes = random_orthogonal(5, rng)[:, :4] * [0.3, 2.0, 1.1, 0.0]
            precisions = np.diagonal(_precision(modes, 0.6, beta))
            for posterior, i, j in (("diagonal", 0, 1), ("diagonal", 3, 2), ([[0, 1], [2, 3]], 1, 3)):
                rotation = plane_rotation(4, angle, i, j)
                found = rotation_energy(modes, 0.6, beta, rotation, posterior=posterior, encoder=encoder)
                yield found, formula(p_1=precisions[i], p_2=precisions[j], theta=angle, beta=beta)

    return cases


def _rotated_precision(rotate, formula):
    """The posterior of the rotated VAE, and the best one of its decoder."""
    rng = np.random.default_rng(2)
    for angle in (0.3, -1.0, 2.2):
        decoder = random_orthogonal(4, rng)[:, :2] * [1.7, 0.6]
        precisions = np.diagonal(_precision(decoder, 0.5, 1.3))
        rotated = rotate(theory.optimal_encoder(decoder, 0.5, 1.3, posterior="full"), plane_rotation(2, angle))
        wanted = formula(p_1=precisions[0], p_2=precisions[1], theta=angle)
        yield np.linalg.inv(rotated.posterior_covariance), wanted
        yield _precision(rotated.decoder, rotated.noise_variance, 1.3), wanted


def _part_of_a_rotated_vae(part: str):
    """The rotation is of any kind, the VAE not an optimum; many covariances show each entry of W V, W Q W^T and V."""

    def cases(rotate, formula):
        rng = np.random.default_rng(3)
        for data_dim, latent_dim in ((4, 3), (2, 3), (3, 1), (5, 4)):
            vae = random_model(data_dim, latent_dim, rng)
            rotated = rotate(vae, random_orthogonal(latent_dim, rng) * np.sign(rng.standard_normal(latent_dim)))
            for _ in range(3):
                covariance = random_covariance(data_dim, rng)
                numbers = {"V": vae.encoder, "S": covariance, "Q": vae.posterior_covariance}
                numbers |= {"W": vae.decoder} if part == "distortion" else {"K": latent_dim}
                yield getattr(theory.elbo_terms(rotated, covariance), part), formula(**numbers)

    return cases


def _curvature(rotation_curvature, formula):
    for posterior in PARTITIONS:
        for beta in (0.7, 2.0):
            found = rotation_curvature(PRECISIONS, beta, posterior=posterior)
            pairs = formula(p_1=PRECISIONS[:, np.newaxis], p_2=PRECISIONS, beta=beta)
            together = partition_mask(partition(posterior, len(PRECISIONS)), len(PRECISIONS))
            yield found, np.where(together, 0, pairs)


def _curvature_of_any_rotation(rotation_curvature, formula):
    """Of generators that rotate all planes at once: the sum over planes of the squared angle times the curvature."""
    rng = np.random.default_rng(1)
    for posterior in PARTITIONS:
        for beta in (0.7, 2.0):
            angles = rng.standard_normal((len(PRECISIONS), len(PRECISIONS)))
            angles -= angles.T
            found = rotation_curvature(PRECISIONS, beta, posterior=posterior) * angles**2
            together = partition_mask(partition(posterior, len(PRECISIONS)), len(PRECISIONS))
            numbers = {"P": np.diag(PRECISIONS), "X": angles, "B": together.astype(float), "beta": beta}
            yield np.triu(found, 1).sum(), formula(K=len(PRECISIONS), **numbers)


def _mean_by_chance(orthogonality_chance_level, formula):
    for options in ({}, {"samples": 7, "rng": 1}):
        yield orthogonality_chance_level(2, **options).mean, formula()


def _deviation_by_chance(orthogonality_chance_level, formula):
    mean = Formula(formula.page, "Mean distance")
    for options in ({}, {"samples": 7, "rng": 1}):
        wanted = np.sqrt(formula() - mean() ** 2)
        yield orthogonality_chance_level(2, **options).standard_deviation, wanted


def _relative_error(polarized_relative_error, formula):
    """The quotient of the two sums over the active latents."""
    rate = Formula(formula.page, "Rate of all active latents")
    for eigenvalues, latent_dim, t in (
        ([5.0, 2.0, 1.0, 0.4], 3, 0.6),
        ([3.0, 3.0, 1.0, 0.2], 4, 0.1),
        ([2.0, 1.5, 0.7, 0.0], 2, 1.1),
    ):
        active = np.array([value for value in eigenvalues[:latent_dim] if value > t])
        numbers = {"l": active, "t": t, "n": len(active)}
        yield polarized_relative_error(eigenvalues, t, latent_dim), formula(**numbers) / rate(**numbers)


def _divergences(quantity: str):
    """Means over the points of a data set, of the divergence of each latent there."""

    def cases(polarized_kl, formula):
        rng = np.random.default_rng(4)
        for data_dim, latent_dim in ((4, 3), (2, 4)):
            data, vae = (
                rng.standard_normal((6, data_dim)) + 0.5,
                random_model(data_dim, latent_dim, rng, with_mean=True),
            )
            active = np.arange(latent_dim) % 3 != 1
            found = polarized_kl(vae, theory.Moments.of(data), active=active)
            means, widths = (data - vae.mean) @ vae.encoder.T, np.diagonal(vae.posterior_covariance)
            counted = slice(None) if quantity == "exact" else active
            of_latents = formula(m=means, q=np.broadcast_to(widths, means.shape)).mean(axis=0)
            yield getattr(found, quantity), of_latents[counted].sum()

    return cases


def _divergence_of_the_optimum(polarized_kl, formula):
    for eigenvalues in ([5.0, 2.0, 1.0, 0.4], [3.0, 3.0, 1.0, 0.2]):
        vae = theory.optimum(np.diag(eigenvalues), 3, beta=1.2, noise_variance=0.5).vae
        active = np.array([value for value in eigenvalues[:3] if value > 0.6])
        yield polarized_kl(vae, np.diag(eigenvalues)).exact, formula(l=active, t=0.6).sum()


def _relative_error_of_the_optimum(polarized_kl, formula):
    for eigenvalue in (5.0, 1.0, 0.7):
        vae = theory.optimum(np.diag([0.4, eigenvalue]), 2, beta=1.2, noise_variance=0.5).vae
        found = polarized_kl(vae, np.diag([0.4, eigenvalue]))
        yield found.relative_error, formula(l=eigenvalue, t=0.6)


def _collapse(collapse_probability, formula):
    """The divergence at a mean of square b is the level at which the probability is that of a smaller square."""
    divergence = Formula(formula.page, "The omitted term")
    rng = np.random.default_rng(5)
    for data_dim, latent_dim in ((4, 3), (2, 4)):
        vae, covariance = random_model(data_dim, latent_dim, rng), random_covariance(data_dim, rng)
        variances = latent_activity(vae, covariance).mean_variance
        for latent, width in enumerate(np.diagonal(vae.posterior_covariance)):
            for b in (0.01, 0.8, 5.0):
                level = divergence(m=np.sqrt(b), q=width)
                yield collapse_probability(vae, covariance, level)[latent], formula(b=b, v=variances[latent])


def _at_45_degrees(manipulate):
    def cases(function, formula):
        for loading, a_1, a_2, _, d in (*_loadings(), (np.eye(3, 2) * 1.4, 1.4, 1.4, None, 0.3)):
            for gap in (0.0, d):
                found = manipulate(function, loading, np.pi / 4, gap)
                yield found.size, np.sqrt(formula(a_1=a_1, a_2=a_2, d=gap))

    return cases


def _sum_at_45_degrees(manipulate):
    """The only root of the slope of the squared change."""

    def cases(function, formula):
        for loading, a_1, a_2, _, d in _loadings():
            values = manipulate(function, loading, np.pi / 4, d).singular_values
            best = _root(lambda m, a_1=a_1, a_2=a_2, d=d: formula(a_1=a_1, a_2=a_2, d=d, m=m), d, 9.0)
            yield [values.sum(), values[0] - values[1]], [best, d]

    return cases


def _change_at_45_degrees(manipulation, formula):
    for loading, a_1, a_2, _, d in _loadings():
        found = manipulation(loading, np.pi / 4, gap=d)
        yield found.size, np.sqrt(formula(a_1=a_1, a_2=a_2, d=d, m=found.singular_values.sum()))


def _axes(manipulate):
    """Those of the changed loading, which has the singular values; rows in the order of the norms."""

    def cases(function, formula):
        for loading, _, _, theta, d in _loadings():
            found, longer = manipulate(function, loading, theta, d), _longer_first(loading)
            axes = formula(theta=theta)
            yield found.axes[longer], axes
            gram = found.loading.T @ found.loading
            yield gram[longer][:, longer], axes * found.singular_values**2 @ axes.T

    return cases


def _nuclear_norm(manipulate):
    """That of X Y^T is the product of the changed and the old loading, if the change is the smallest."""

    def cases(function, formula):
        for loading, a_1, a_2, theta, d in _loadings():
            found = manipulate(function, loading, theta, d)
            wanted = np.sqrt(formula(a_1=a_1, a_2=a_2, theta=theta, m=found.singular_values.sum(), d=d))
            yield np.sum(found.loading * loading), wanted
            yield np.sum((loading + found.change) * loading), wanted

    return cases


def _best_sum(manipulate):
    """The bound on the cosine is least at the sum of the singular values; b is as its step says."""

    def cases(function, formula):
        for loading, a_1, a_2, theta, d in _loadings():
            found = manipulate(function, loading, theta, d)
            numbers = {"a_1": a_1, "a_2": a_2, "d": d, "b": a_1**2 + a_2**2 + d**2 / 2 - found.size**2}
            best = _root(lambda m, numbers=numbers: formula(m=m, **numbers), d, 9.0)
            yield found.singular_values.sum(), best

    return cases


def _of_a_free_gap(manipulation, formula):
    """The squared change is the smaller eigenvalue of the form, s the other eigenvector with a squared length of it."""
    for loading, a_1, a_2, theta, _ in _loadings():
        found = manipulation(loading, theta)
        (smaller, larger), vectors = np.linalg.eigh(formula(a_1=a_1, a_2=a_2, theta=theta))
        yield found.size, np.sqrt(smaller)
        yield found.singular_values, np.sqrt(larger) * np.abs(vectors[:, 1])


def _product_of_a_free_gap(manipulation, formula):
    for loading, a_1, a_2, theta, _ in _loadings():
        found = manipulation(loading, theta)
        yield found.size * np.linalg.norm(found.singular_values), np.sqrt(formula(a_1=a_1, a_2=a_2, theta=theta))


def _angle_of_a_budget(largest_angle, formula):
    for loading, a_1, a_2, _, _ in _loadings():
        for share in (0.2, 0.6, 0.9):
            e = share * (a_1 - a_2) / np.sqrt(2)
            wanted = _root(
                lambda theta, a_1=a_1, a_2=a_2, e=e: formula(a_1=a_1, a_2=a_2, e=e, theta=theta), 0, np.pi / 4
            )
            yield largest_angle(loading, e), wanted


def _angle_of_a_budget_and_a_gap(largest_angle, formula):
    """At the angle that the budget reaches the nuclear norm is that of a change of this size."""
    for loading, a_1, a_2, theta, d in _loadings():
        change = two_factor_manipulation(loading, theta, gap=d)
        numbers = {"a_1": a_1, "a_2": a_2, "d": d, "m": change.singular_values.sum()}
        norm = np.sum(change.loading * loading)
        wanted = _root(lambda at, numbers=numbers, norm=norm: formula(theta=at, **numbers) - norm**2, 0, np.pi / 2)
        yield largest_angle(loading, change.size, gap=d), wanted


def _demixing(separate, formula):
    """With O = I, for factors in the order and with the signs that the function gives them."""
    for found, loading, _, _ in _separations(separate):
        yield found.demixing, formula(A=loading, O=np.eye(loading.shape[1]))


def _inverse(separate, formula):
    """Of the loading by the demixing, and by the page's demixing of the function's loading."""
    for found, loading, _, _ in _separations(separate):
        latent_dim = loading.shape[1]
        page_demixing = Formula(formula.page, "F")(A=loading, O=np.eye(latent_dim))
        yield found.demixing @ loading, formula(K=latent_dim)
        yield page_demixing @ found.loading, formula(K=latent_dim)


def _lag_correlations(separate, formula):
    rng = np.random.default_rng(7)
    for found, loading, correlations, _ in _separations(separate):
        whitened = formula(O=random_orthogonal(loading.shape[1], rng), Omega=np.diag(correlations))
        yield found.lag_correlations, np.linalg.eigvalsh(whitened)[::-1]


def _covariance_of_the_components(separate, formula):
    for found, loading, _, tau in _separations(separate):
        total = found.loading @ found.loading.T + found.noise_variance * np.eye(len(loading))
        yield total, formula(A=loading, tau=tau, D=len(loading))


def _lagged_covariance_of_the_components(separate, formula):
    for found, loading, correlations, _ in _separations(separate):
        yield found.loading * found.lag_correlations @ found.loading.T, formula(A=loading, Omega=np.diag(correlations))


def _separations(separate):
    """The result for a model, its loading and lag correlations, and the deviation of its noise.

    Factors in descending order of their correlations, the largest entry of each column positive.
    """
    rng = np.random.default_rng(6)
    for data_dim, correlations, tau, is_known in (
        (5, [0.9, 0.3, -0.4], 0.7, False),
        (3, [0.8, 0.1, 0.0], 1.2, True),
        (4, [0.5, -0.2], 0.0, True),
    ):
        loading = rng.standard_normal((data_dim, len(correlations)))
        loading *= np.sign(np.take_along_axis(loading, np.abs(loading).argmax(axis=0)[np.newaxis], axis=0))
        model = TemporalModel(loading, correlations, tau**2)
        options = {"noise_variance": tau**2} if is_known else {}
        found = separate(model.covariance, model.lagged_covariance(), len(correlations), **options)
        yield found, loading, correlations, tau


def _loadings():
    """Loadings in more dimensions than two, with the norms of their columns in either order."""
    rng = np.random.default_rng(8)
    for index, (a_1, a_2, theta, d) in enumerate(COLUMNS):
        columns = random_orthogonal(4, rng)[:, :2] * [a_1, a_2]
        yield columns[:, :: 1 - 2 * (index % 2)], a_1, a_2, theta, d


def _of_two_factors(two_factor_manipulation, loading, theta, gap):
    return two_factor_manipulation(loading, theta, gap=gap)


def _of_given_axes(smallest_manipulation, loading, theta, gap):
    """The angle is that between the first axis and the longer column."""
    return smallest_manipulation(loading, plane_rotation(2, theta)[_longer_first(loading)], [gap])


def _longer_first(loading) -> np.ndarray:
    return np.argsort(-np.linalg.norm(loading, axis=0))


def _root(function, low: float, high: float) -> float:
    return brentq(function, low, high, xtol=1e-15, rtol=1e-15)


def _precision(decoder, noise_variance, beta) -> np.ndarray:
    """That of the best full posterior."""
    vae = theory.optimal_encoder(decoder, noise_variance, beta, posterior="full")
    return np.linalg.inv(vae.posterior_covariance)


def _modes(decoder, noise_variance, beta) -> tuple[np.ndarray, np.ndarray]:
    """Precisions of the modes, and the axes of the modes in columns, of determinant one."""
    precisions, axes = np.linalg.eigh(_precision(decoder, noise_variance, beta))
    return precisions, axes * [1, np.linalg.det(axes)]


AGAIN, DROPPED = "Energy if the encoder is optimised again", "Energy if the off-diagonals are dropped"
CURVED_AGAIN, CURVED_DROPPED = (title.replace("Energy", "Curvature") for title in (AGAIN, DROPPED))
BUDGET, BUDGET_AND_GAP = "Largest angle for a budget", "Largest angle for a budget and a gap"
PROBABILITY, ORTHOGONAL = "theory.axes.collapse_probability", "theory.axes.orthogonality_chance_level"
POLARIZED, POLARIZED_ERROR = "theory.axes.polarized_kl", "theory.axes.polarized_relative_error"
SMALLEST, TWO_FACTORS = "theory.axes.smallest_manipulation", "theory.axes.two_factor_manipulation"
LARGEST_ANGLE, CURVATURE = "theory.axes.two_factor_largest_angle", "theory.axes.rotation_curvature"
TWO_MODES, ENERGY = "theory.axes.two_mode_rotation_energy", "theory.axes.rotation_energy"

TIES = (
    Tie(TWO_MODES, "rotation", AGAIN, _energy("reoptimised")),
    Tie(TWO_MODES, "rotation", DROPPED, _energy("truncated")),
    Tie(ENERGY, "rotation", AGAIN, _energy_of_a_decoder("reoptimised")),
    Tie(ENERGY, "rotation", DROPPED, _energy_of_a_decoder("truncated")),
    Tie("theory.axes.rotate", "rotation", "P_2", _rotated_precision),
    Tie("theory.axes.rotate", "rotation", "Distortion does not change", _part_of_a_rotated_vae("distortion")),
    Tie("theory.axes.rotate", "rotation", "Rate does not change", _part_of_a_rotated_vae("rate")),
    Tie(CURVATURE, "rotation-curvature", CURVED_AGAIN, _curvature),
    Tie(CURVATURE, "rotation-curvature", CURVED_DROPPED, _curvature),
    Tie(CURVATURE, "rotation-curvature", "The plane of two modes", _curvature),
    Tie(CURVATURE, "rotation-curvature", "Curvature of any rotation", _curvature_of_any_rotation),
    Tie(CURVATURE, "rotation-curvature", "Curvature of any rotation after dropping", _curvature_of_any_rotation),
    Tie(ORTHOGONAL, "orthogonality-by-chance", "Mean distance", _mean_by_chance),
    Tie(ORTHOGONAL, "orthogonality-by-chance", "Mean squared distance", _deviation_by_chance),
    Tie(POLARIZED_ERROR, "polarized-regime", "Error of the sum", _relative_error),
    Tie(POLARIZED, "polarized-regime", "The omitted term", _divergences("exact")),
    Tie(POLARIZED, "polarized-regime", "p", _divergences("approximate")),
    Tie(POLARIZED, "polarized-regime", "Rate of an active latent at the optimum", _divergence_of_the_optimum),
    Tie(POLARIZED, "polarized-regime", "Relative error at the optimum", _relative_error_of_the_optimum),
    Tie(PROBABILITY, "polarized-regime", "Probability of collapse", _collapse),
    Tie(TWO_FACTORS, "smallest-manipulation", "Smallest change at 45 degrees", _at_45_degrees(_of_two_factors)),
    Tie(TWO_FACTORS, "smallest-manipulation", "At 45 degrees", _sum_at_45_degrees(_of_two_factors)),
    Tie(TWO_FACTORS, "smallest-manipulation", "f(m)", _change_at_45_degrees),
    Tie(TWO_FACTORS, "smallest-manipulation", "O_1", _axes(_of_two_factors)),
    Tie(TWO_FACTORS, "smallest-manipulation", "By sum and gap", _nuclear_norm(_of_two_factors)),
    Tie(TWO_FACTORS, "smallest-manipulation", "F", _of_a_free_gap),
    Tie(TWO_FACTORS, "smallest-manipulation", "With the gap free", _product_of_a_free_gap),
    Tie(TWO_FACTORS, "smallest-manipulation", BUDGET_AND_GAP, _best_sum(_of_two_factors)),
    Tie(SMALLEST, "smallest-manipulation", "Smallest change at 45 degrees", _at_45_degrees(_of_given_axes)),
    Tie(SMALLEST, "smallest-manipulation", "At 45 degrees", _sum_at_45_degrees(_of_given_axes), tolerance=1e-5),
    Tie(SMALLEST, "smallest-manipulation", "O_1", _axes(_of_given_axes)),
    Tie(SMALLEST, "smallest-manipulation", "By sum and gap", _nuclear_norm(_of_given_axes)),
    # The search ends within 1e-12 of the least squared change, so within about 1e-6 of the best singular values.
    Tie(SMALLEST, "smallest-manipulation", BUDGET_AND_GAP, _best_sum(_of_given_axes), tolerance=1e-5),
    Tie(LARGEST_ANGLE, "smallest-manipulation", BUDGET, _angle_of_a_budget),
    Tie(LARGEST_ANGLE, "smallest-manipulation", "By sum and gap", _angle_of_a_budget_and_a_gap),
    Tie("theory.axes.separate", "separation-by-time", "F", _demixing),
    Tie("theory.axes.separate", "separation-by-time", "Demixing", _inverse),
    Tie("theory.axes.separate", "separation-by-time", "The lagged covariance, whitened", _lag_correlations),
    Tie("theory.axes.separate", "separation-by-time", "S", _covariance_of_the_components),
    Tie("theory.axes.separate", "separation-by-time", "L", _lagged_covariance_of_the_components),
)

UNTIED: dict[tuple[str, str], str] = {}
