"""Checks of the results on learning: the optimum, its noise, its place on Shannon's curve, and collapse.

Trained models start at random and follow the gradient of the loss in all parameters. Latents come out in any order and
sign, so the compared quantities do not depend on these.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.optimize import brentq, linear_sum_assignment

import theory
from numerics.checks.limits import limit_of_two
from numerics.checks.rotated import rotated_covariance
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.data.observations import digits
from numerics.diagnosis.activity import active_count
from numerics.diagnosis.certificate import certify
from numerics.experiments.dead_latent import dead_latent_curvature, with_dead_latent
from numerics.experiments.water_filling import shannon_distortion, shannon_rate
from numerics.sampling.cubature import elbo_terms_by_cubature
from numerics.training.train import TrainingRun, train
from theory import learning
from theory.model import LinearVAE
from theory.moments import Moments

__all__ = ["CHECKS", "PART_TOLERANCE", "aligned", "trained_run"]

# Training stops at a gradient of 1e-9: the loss is then within 1e-10 of its minimum, everything else within 1e-6 where
# no eigenvalue is closer than a tenth to another or to the water level.
GRADIENT_TOLERANCE = 1e-9
LOSS_TOLERANCE = 1e-9
PART_TOLERANCE = 1e-6

SPECTRUM = np.array([4.0, 2.5, 1.2, 0.6, 0.3])
SPECTRA = {"distinct": SPECTRUM, "one dominant": np.array([20.0, 0.6, 0.5, 0.4]), "singular": np.array([3.0, 1.0, 0.0])}


def optimum_fixed_noise(budget: Budget) -> Iterator[Comparison]:
    for name, spectrum in SPECTRA.items():
        yield from _optimum_rows(name, _covariance(spectrum), 2, 1.3, 0.4)
    covariance, betas = _covariance(SPECTRUM), np.array([0.8, 1.3])
    for noise in (0.4, "learned"):
        curve = learning.optimum_curve(covariance, 2, betas, noise_variance=noise)
        for at, beta in enumerate(betas):
            run = trained_run(covariance, 2, float(beta), noise)
            parts = elbo_terms_by_cubature(run.vae, covariance)
            found = {"loss": run.loss, "noise_variance": run.vae.noise_variance} | parts
            for name in ("loss", "noise_variance", "distortion", "rate"):
                quantity, stated = f"{name} of the curve, beta {beta:g}, noise {noise}", getattr(curve, name)[at]
                yield compare(quantity, float(stated), trained=found[name], tolerance=PART_TOLERANCE)
            quantity, active = f"active latents of the curve, beta {beta:g}, noise {noise}", curve.active_count[at]
            yield compare(quantity, int(active), trained=active_count(run.vae, covariance))
            leading = learning.optimum(covariance, 2, beta=float(beta), noise_variance=noise, leading_only=True)
            quantity = f"loss by leading modes, beta {beta:g}, noise {noise}"
            yield compare(quantity, leading.loss, trained=run.loss, tolerance=LOSS_TOLERANCE)
            yield compare_arrays(
                f"leading eigenvalues, beta {beta:g}, noise {noise}", leading.eigenvalues, SPECTRUM[:2], 1e-9
            )
    # At its critical beta a latent carries nothing: a mode is coded only above the water level.
    spectrum, level = np.array([2.0, 1.0]), 1.0
    found = learning.optimum(np.diag(spectrum), 2, beta=2.0, noise_variance=level / 2)
    yield compare("active latents at a critical beta", found.active_count, trained=np.count_nonzero(spectrum > level))
    yield compare("noise is fixed", float(found.noise_status == "fixed"), trained=1.0)


def optimum_learned_noise(budget: Budget) -> Iterator[Comparison]:
    for name, spectrum in SPECTRA.items():
        yield from _optimum_rows(name, _covariance(spectrum), 1 if name == "singular" else 2, 1.3, "learned")
    # Variables of very different units: the small eigenvalue is the determinant over the large one.
    units, correlation = np.array([1e6, 1e-6]), 0.6
    covariance = np.outer(units, units) * np.array([[1.0, correlation], [correlation, 1.0]])
    largest = units[0] ** 2  # the small unit is lost in rounding
    smallest = (1 - correlation**2) * units[1] ** 2
    best = learning.optimum(covariance, 1, beta=1.3)
    yield compare_arrays("eigenvalues in units of their own", best.eigenvalues / [largest, smallest], [1.0, 1.0], 1e-12)
    noise = smallest / (2 - 1.3)
    yield compare("noise variance, different units", best.noise_variance, trained=noise, tolerance=1e-12 * noise)
    yield from _data_with_a_mean()
    # With too small a beta the loss falls for ever as the noise does.
    limit = limit_of_two(*(trained_run(np.diag([2.0, 1.0]), 2, 0.5, noise).loss for noise in (1e-3, 1e-5)))
    yield compare("loss without a bound", learning.optimum(np.diag([2.0, 1.0]), 2, beta=0.5).loss, trained=limit)


def _data_with_a_mean() -> Iterator[Comparison]:
    """The optimum of data away from zero: parts of the stated model on them, as averages."""
    rows = np.random.default_rng(206).standard_normal((300, 3)) @ np.diag([2.0, 1.0, 0.5]) + [3.0, -1.0, 0.5]
    data = Moments.of(rows)
    best = learning.optimum(data, 2, beta=1.3)
    yield compare_arrays("mean of the model", best.vae.mean, rows.mean(axis=0), 1e-13)
    parts = elbo_terms_by_cubature(best.vae, data)
    for name in ("distortion", "rate"):
        yield compare(f"{name}, data with a mean", getattr(best, name), trained=parts[name], tolerance=1e-11)


def optimum_full_posterior(budget: Budget) -> Iterator[Comparison]:
    """The full family has the same value, with latents at any rotation: only eigenvalues of Q are compared."""
    covariance, beta = _covariance(SPECTRUM), 1.3
    for noise in (0.4, "learned"):
        exact = learning.optimum(covariance, 3, beta=beta, noise_variance=noise, posterior="full")
        run = trained_run(covariance, 3, beta, noise, posterior="full")
        yield compare(f"loss, noise {noise}", exact.loss, trained=run.loss, tolerance=LOSS_TOLERANCE)
        spectra = [np.linalg.eigvalsh(vae.posterior_covariance) for vae in (exact.vae, run.vae)]
        yield compare_arrays(f"eigenvalues of Q, noise {noise}", *spectra, PART_TOLERANCE)


def optimal_weights(budget: Budget) -> Iterator[Comparison]:
    """Decoder, encoder and posterior variances themselves, aligned: rows and columns are matched by their mode."""
    covariance, beta = _covariance(SPECTRUM), 1.3
    for noise in (0.4, "learned"):
        best = learning.optimum(covariance, 3, beta=beta, noise_variance=noise)
        trained = aligned(trained_run(covariance, 3, beta, noise).vae, target=best.vae.decoder)
        for name in ("decoder", "encoder", "posterior_covariance"):
            exact = getattr(best.vae, name)
            yield compare_arrays(f"{name}, noise {noise}", exact, getattr(trained, name), PART_TOLERANCE)
        yield compare_arrays(f"eigenvalues, noise {noise}", best.eigenvalues, SPECTRUM, 1e-13)


def aggregate_posterior(budget: Budget) -> Iterator[Comparison]:
    """At the optimum the codes of all data together have the prior's distribution: the rate is all information."""
    covariance, beta = _covariance(SPECTRUM), 1.3
    exact = learning.optimum(covariance, 3, beta=beta, noise_variance=0.6)
    trained = trained_run(covariance, 3, beta, 0.6).vae
    code = trained.encoder @ covariance @ trained.encoder.T + trained.posterior_covariance
    yield compare_arrays("covariance of q(z)", np.eye(3), code, PART_TOLERANCE)
    parts = elbo_terms_by_cubature(trained, covariance)
    for name, value in {"mutual_information": exact.rate, "total_correlation": 0.0, "dimension_wise_kl": 0.0}.items():
        yield compare(name, value, trained=parts[name], tolerance=PART_TOLERANCE, scale=exact.rate)
    of_trained = theory.elbo_terms(trained, covariance)
    for name in ("mutual_information", "aggregate_kl"):
        quantity, value = f"{name} of the trained model", getattr(of_trained, name)
        yield compare(quantity, value, trained=parts[name], tolerance=1e-12, scale=exact.rate)


def rate_distortion(budget: Budget) -> Iterator[Comparison]:
    """With a latent for every mode trained models lie on Shannon's curve at the level beta s2, with fewer above it."""
    covariance, noise = _covariance(SPECTRUM), 0.5
    for beta in (0.4, 1.0, 1.8, 4.0, 10.0):
        for latent_dim, point in (
            (len(SPECTRUM), learning.rate_distortion(SPECTRUM, beta * noise)),
            (2, learning.vae_rate_distortion(SPECTRUM, 2, beta * noise)),
        ):
            trained = elbo_terms_by_cubature(trained_run(covariance, latent_dim, beta, noise).vae, covariance)
            for name in ("rate", "distortion"):
                exact = float(getattr(point, name))
                quantity = f"{name}, beta {beta:g}, K = {latent_dim}"
                yield compare(quantity, exact, trained=trained[name], tolerance=PART_TOLERANCE, scale=max(exact, 1e-2))
                if latent_dim == len(SPECTRUM):  # on Shannon's curve: the water level from where the model lies
                    level_of = getattr(learning, f"water_level_for_{name}")
                    level = float(level_of(SPECTRUM, trained[name]))
                    expected = min(beta * noise, SPECTRUM[0])  # beyond it the rate is zero
                    quantity = f"water level for the {name}, beta {beta:g}"
                    yield compare(quantity, level, trained=expected, tolerance=10 * PART_TOLERANCE)


def capacity_penalty(budget: Budget) -> Iterator[Comparison]:
    """With too few latents, trained models lie above Shannon's curve, by the stated excess."""
    covariance, beta, noise = _covariance(SPECTRUM), 1.3, 0.4
    for latent_dim in (1, 2, 4):  # with a latent for each mode above the water they lie on the curve
        exact = learning.capacity_penalty(SPECTRUM, latent_dim, beta * noise)
        trained = elbo_terms_by_cubature(trained_run(covariance, latent_dim, beta, noise).vae, covariance)
        at_distortion = shannon_rate(SPECTRUM, trained["distortion"])
        at_rate = shannon_distortion(SPECTRUM, trained["rate"])
        excess = {"rate": trained["rate"] - at_distortion, "distortion": trained["distortion"] - at_rate}
        for name, value in excess.items():
            quantity, stated = f"{name}, K = {latent_dim}", float(getattr(exact, name))
            yield compare(quantity, stated, trained=value, tolerance=PART_TOLERANCE, scale=stated or 1.0)
    level = float(learning.water_level_for_rate(np.zeros(2), 1.0))  # a constant source has no distortion
    yield compare("water level of a constant source", level, trained=0.0, scale=1.0)


def collapse(budget: Budget) -> Iterator[Comparison]:
    """Latents collapse one by one: how many are active about each critical beta, and where a dead one can revive.

    With fewer latents trained, one that carries nothing is added: it stays so if no direction curves down.
    """
    covariance = _covariance(SPECTRUM)
    for noise in (0.5, "learned"):
        critical = learning.critical_betas(SPECTRUM, 3, noise)
        for number, threshold in enumerate(critical, start=1):
            curvature = partial(_curvature_of_dead_latent, number - 1, noise)
            revived = brentq(curvature, 0.8 * threshold, 1.2 * threshold, xtol=1e-9)
            name = f"critical beta {number}, noise {noise}"
            yield compare(name, float(threshold), trained=revived, tolerance=PART_TOLERANCE)
            of_optimum = learning.optimum(covariance, 3, beta=1.0, noise_variance=noise).critical_betas[number - 1]
            yield compare(f"{name}, of the optimum", of_optimum, trained=revived, tolerance=PART_TOLERANCE)
            for side in (0.9, 1.1):
                beta = float(side * threshold)
                active = active_count(trained_run(covariance, 3, beta, noise).vae, covariance)
                expected = np.count_nonzero(beta < critical)
                name = f"active latents, {side:g} of critical beta {number}, noise {noise}"
                yield compare(name, expected, trained=active, scale=1.0)


def learned_noise(budget: Budget) -> Iterator[Comparison]:
    """The noise and the loss at a given noise, as formulas of the eigenvalues alone, against training."""
    covariance = _covariance(SPECTRUM)
    for beta in (0.7, 1.3):
        exact = learning.learned_noise_variance(SPECTRUM, 2, beta)
        run = trained_run(covariance, 2, beta, "learned")
        noise = run.vae.noise_variance
        yield compare(
            f"noise variance, beta {beta:g}", float(exact.noise_variance), trained=noise, tolerance=PART_TOLERANCE
        )
        yield compare(
            f"active latents, beta {beta:g}", int(exact.active_count), trained=active_count(run.vae, covariance)
        )
        level = float(exact.water_level)
        yield compare(f"water level, beta {beta:g}", level, trained=beta * noise, tolerance=PART_TOLERANCE)
        for given in (0.3, 0.9):
            profile = float(learning.profile_loss(SPECTRUM, 2, beta, given))
            trained = trained_run(covariance, 2, beta, given).loss
            yield compare(f"loss, beta {beta:g}, noise {given:g}", profile, trained=trained, tolerance=LOSS_TOLERANCE)
    # With a latent for every mode the noise runs to zero if the loss falls as it does, and is free if the loss is flat.
    for name, spectrum in {"full rank": SPECTRUM, "K above the rank": SPECTRA["singular"]}.items():
        free = len(spectrum) / np.count_nonzero(spectrum)
        for beta in (free - 0.1, free, free + 0.1):
            losses = [trained_run(_covariance(spectrum), len(spectrum), beta, noise).loss for noise in (0.01, 0.02)]
            rise = 0 if abs(losses[1] - losses[0]) < 1e-7 else int(np.sign(losses[1] - losses[0]))
            status = str(learning.learned_noise_variance(spectrum, len(spectrum), beta).status)
            stated = {"zero": 1, "undetermined": 0, "learned": -1}[status]
            yield compare(f"loss rises with the noise, {name}, beta {beta:g}", stated, trained=rise, scale=1.0)


def _curvature_of_dead_latent(others: int, noise, beta: float) -> float:
    options = {"gradient_tolerance": GRADIENT_TOLERANCE, "rng": np.random.default_rng(204)}
    return dead_latent_curvature(_covariance(SPECTRUM), others, beta, noise, **options)


def first_and_second_order(budget: Budget) -> Iterator[Comparison]:
    """The gradient at stated optima is zero and no direction curves down, at every size; a saddle has one."""
    small = _covariance(SPECTRUM)
    cases = {"distinct": (small, 3), "tied": (_covariance([3, 3, 1.5, 0.4]), 2), "K > D": (small, 7)}
    cases["digits"] = (Moments.of(digits()).covariance, 20)
    if not budget.quick:
        cases["D = 784"] = (np.diag(10.0 / np.arange(1, 785)), 64)
    large = np.append([50.0, 40.0, 30.0, 20.0], np.linspace(1.0, 0.5, 296))
    leading = learning.optimum(np.diag(large), 4, leading_only=True)
    yield compare_arrays("leading eigenvalues, D = 300", leading.eigenvalues, large[:4], 1e-11)
    slow = 10.0 / np.arange(1, 251)
    values = learning.optimum(_covariance(slow), 20, noise_variance=0.4).eigenvalues
    yield compare_arrays("eigenvalues that decay slowly, D = 250", values, slow, 1e-11)
    for name, (covariance, latent_dim) in cases.items():
        for noise in (0.4, "learned"):
            exact = learning.optimum(covariance, latent_dim, beta=1.3, noise_variance=noise)
            if exact.vae is None:
                continue
            certificate = certify(exact.vae, covariance, 1.3, learned_noise=noise == "learned")
            yield compare(
                f"gradient, {name}, noise {noise}",
                0.0,
                trained=certificate.gradient_norm,
                tolerance=1e-11 * certificate.scale,
                scale=certificate.scale,
            )
            yield compare(
                f"downward curvature, {name}, noise {noise}",
                0.0,
                trained=min(certificate.curvature, 0.0),
                tolerance=1e-9,
                scale=1.0,
            )
    # A latent left collapsed though its mode lies above the water: curvature 1 - sqrt(l / t) towards that mode.
    level = 1.3 * 0.4
    missing = learning.optimum(small, 1, beta=1.3, noise_variance=0.4).vae
    certificate = certify(with_dead_latent(missing), small, 1.3)
    yield compare(
        "curvature at a saddle", 1 - np.sqrt(SPECTRUM[1] / level), trained=certificate.curvature, tolerance=1e-9
    )


def digits_optimum(budget: Budget) -> Iterator[Comparison]:
    """Real data: handwritten digits, everything learned."""
    covariance = Moments.of(digits()).covariance
    for latent_dim in (2,) if budget.quick else (2, 6):
        yield from _optimum_rows(f"K = {latent_dim}", covariance, latent_dim, 2.0, "learned")


def _optimum_rows(case: str, covariance, latent_dim: int, beta: float, noise) -> Iterator[Comparison]:
    """Value, parts, noise and number of active latents."""
    exact = learning.optimum(covariance, latent_dim, beta=beta, noise_variance=noise)
    run = trained_run(covariance, latent_dim, beta, noise)
    parts = elbo_terms_by_cubature(run.vae, covariance)
    yield compare(f"loss, {case}", exact.loss, trained=run.loss, tolerance=LOSS_TOLERANCE)
    for name in ("distortion", "rate"):
        value = getattr(exact, name)
        yield compare(f"{name}, {case}", value, trained=parts[name], tolerance=PART_TOLERANCE * max(1.0, value))
    yield compare(
        f"noise variance, {case}",
        exact.noise_variance,
        trained=run.vae.noise_variance,
        tolerance=PART_TOLERANCE * exact.noise_variance,
    )
    yield compare(f"active latents, {case}", exact.active_count, trained=active_count(run.vae, covariance), scale=1.0)


def trained_run(covariance, latent_dim: int, beta: float, noise, posterior="diagonal") -> TrainingRun:
    return train(
        covariance,
        latent_dim,
        beta=beta,
        noise_variance=noise,
        posterior=posterior,
        gradient_tolerance=GRADIENT_TOLERANCE,
        rng=np.random.default_rng(204),
    )


def _covariance(spectrum) -> np.ndarray:
    return rotated_covariance(spectrum, 205)


def aligned(vae: LinearVAE, target: np.ndarray) -> LinearVAE:
    """Latents permuted and signed so that the overlap of the decoder's columns with the target's is largest."""
    overlap = target.T @ vae.decoder
    order = linear_sum_assignment(-np.abs(overlap))[1]
    signs = np.where(overlap[np.arange(len(order)), order] < 0, -1.0, 1.0)
    return LinearVAE(
        vae.decoder[:, order] * signs,
        vae.encoder[order] * signs[:, None],
        vae.posterior_covariance[np.ix_(order, order)] * np.outer(signs, signs),
        vae.noise_variance,
    )


CHECKS = {
    "optimum_fixed_noise": optimum_fixed_noise,
    "optimum_learned_noise": optimum_learned_noise,
    "optimum_full_posterior": optimum_full_posterior,
    "optimal_weights": optimal_weights,
    "aggregate_posterior": aggregate_posterior,
    "rate_distortion": rate_distortion,
    "capacity_penalty": capacity_penalty,
    "collapse": collapse,
    "learned_noise": learned_noise,
    "first_and_second_order": first_and_second_order,
    "digits_optimum": digits_optimum,
}
