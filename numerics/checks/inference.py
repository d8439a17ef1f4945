"""Checks of the results on inference with a fixed decoder.

Encoders follow the gradient of the loss, from a random start, while the decoder is fixed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from scipy.optimize import minimize_scalar

import theory
from numerics.checks.limits import limit_of_two
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.diagnosis.certificate import certify
from numerics.sampling.cubature import elbo_terms_by_cubature, errors_by_cubature
from numerics.training.train import train
from theory import gaussian, inference
from theory.inference.errors_along_beta import CRITERIA
from theory.model import GenerativeModel, LinearVAE

__all__ = ["CHECKS", "FAMILIES", "NOISELESS", "three_factors", "trained_encoder", "trained_errors", "with_best_noise"]

FAMILIES = {"diagonal": "diagonal", "full": "full", "groups": [[0, 2], [1]]}

# Training stops at a gradient of 1e-10: the loss is then at its minimum to rounding, parameters are within 1e-8.
GRADIENT_TOLERANCE = 1e-10
LOSS_TOLERANCE = 1e-10
PARAMETER_TOLERANCE = 1e-6
ROUNDING = 1e-12  # of cubature, which is exact for the errors

NOISELESS = np.array([[1.0, 0.3], [0.2, 0.8], [0.4, 0.1]])  # a loading, of data without noise
COPIED = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])  # a covariance: the last variable is the first


def optimal_encoder(budget: Budget) -> Iterator[Comparison]:
    truth, decoder, beta, noise = three_factors()
    for name, posterior in FAMILIES.items():
        exact = inference.optimal_encoder(decoder, noise, beta, posterior=posterior)
        run = train(
            truth.covariance,
            3,
            beta=beta,
            noise_variance=noise,
            decoder=decoder,
            posterior=posterior,
            gradient_tolerance=GRADIENT_TOLERANCE,
        )
        loss = theory.elbo_terms(exact, truth.covariance).loss(beta)
        yield compare(f"loss, {name}", loss, trained=run.loss, tolerance=LOSS_TOLERANCE)
        yield compare_arrays(f"encoder, {name}", exact.encoder, run.vae.encoder, PARAMETER_TOLERANCE)
        yield compare_arrays(
            f"posterior covariance, {name}",
            exact.posterior_covariance,
            run.vae.posterior_covariance,
            PARAMETER_TOLERANCE,
        )
    # Columns that differ by seven decades, the smaller of the size of the noise: a gradient of zero, to rounding.
    graded = decoder * [1.0, 1e-7, 1e-3]
    for name, posterior in FAMILIES.items():
        vae = inference.optimal_encoder(graded, 1e-14, 1.0, posterior=posterior)
        data = graded @ graded.T + 1e-14 * np.eye(4)
        certificate = certify(vae, data, 1.0, learned_decoder=False, posterior=posterior)
        gradient, scale = certificate.gradient_norm, certificate.scale
        quantity = f"gradient, columns of very different sizes, {name}"
        yield compare(quantity, 0.0, trained=gradient, tolerance=1e-11 * scale, scale=scale)
    wide = np.array([[1.0, 0.5, 0.3], [2e-7, 9e-7, 1e-6]])  # more columns than rows
    exact = inference.optimal_encoder(wide, 1e-14, 1.0).encoder
    shares = exact / _encoder_of_two_rows(wide, 1e-14)
    yield compare_arrays("encoder of rows of very different sizes", shares, np.ones((3, 2)), 1e-12)


def _encoder_of_two_rows(decoder: np.ndarray, level: float) -> np.ndarray:
    """W^T (W W^T + t I)^-1 in fractions, without rounding."""
    first, second = ([Fraction(entry) for entry in row] for row in decoder)
    a, b, c = (
        sum(x * y for x, y in zip(*rows, strict=True)) for rows in ((first, first), (first, second), (second, second))
    )
    a, c = a + Fraction(level), c + Fraction(level)
    columns = [[c * x - b * y for x, y in zip(first, second, strict=True)]]
    columns += [[a * y - b * x for x, y in zip(first, second, strict=True)]]
    return np.array([[float(entry / (a * c - b * b)) for entry in column] for column in columns]).T


def family_gap(budget: Budget) -> Iterator[Comparison]:
    """What a smaller family costs is the difference of two trained losses."""
    truth, decoder, beta, noise = three_factors()
    options = {"beta": beta, "noise_variance": noise, "decoder": decoder, "gradient_tolerance": GRADIENT_TOLERANCE}
    full = train(truth.covariance, 3, posterior="full", **options).loss
    for name in ("diagonal", "groups"):
        exact = inference.family_gap(decoder, noise, beta, posterior=FAMILIES[name])
        trained = train(truth.covariance, 3, posterior=FAMILIES[name], **options).loss - full
        yield compare(f"excess loss, {name}", exact, trained=trained, tolerance=2 * LOSS_TOLERANCE)
    precision = np.eye(3) + decoder.T @ decoder / (beta * noise)
    gap = _gap_by_determinants(precision, FAMILIES["groups"])
    far = np.array([[4.0, 3.999999, 0.0], [3.999999, 4.0, 1e-4], [0.0, 1e-4, 2.0]])
    nearly = np.array([[1.0, 1e-3, 0.0], [1e-3, 2.0, 2e-3], [0.0, 2e-3, 1.5]])
    for name, matrix in {"nearly singular": far, "nearly diagonal": nearly}.items():
        for family in (FAMILIES["diagonal"], [[0], [1, 2]]):
            exact = _gap_by_determinants(matrix, family)
            stated = gaussian.hadamard_gap(matrix, family)
            yield compare(f"Hadamard gap, {name}, {family}", stated, trained=exact, tolerance=1e-7 * exact)
    for name, matrix in {"equal variables": np.ones((2, 2)), "a variable in two groups": COPIED}.items():
        family = "diagonal" if len(matrix) == 2 else [[0, 1], [2]]
        near = (_gap_by_determinants(matrix + width * np.eye(len(matrix)), family) for width in (1e-6, 1e-9))
        limit = limit_of_two(*near)
        yield compare(f"Hadamard gap, {name}", gaussian.hadamard_gap(matrix, family), trained=limit, scale=1.0)
    columns = np.array([[2.0, 0.5, 1e-4], [0.0, 1.0, 2e-4], [0.0, 0.0, 1.5]])
    small = _gap_by_determinants(np.eye(3) + columns.T @ columns / (beta * noise), [[0, 1], [2]])
    exact = inference.family_gap(columns, noise, beta, posterior=[[0, 1], [2]])
    yield compare("excess loss, nearly orthogonal groups", exact, trained=beta / 2 * small, tolerance=1e-6 * exact)
    # Two columns whose cosine is 1e-5: the gap is -log(1 - c^2) of the cosine in the precision, with all its digits.
    columns = np.array([[2.0, 1e-5], [0.0, 1.0]])
    (first, product), (_, second) = np.eye(2) + columns.T @ columns / (beta * noise)
    cost = -beta / 2 * np.log1p(-(product**2) / (first * second))
    exact = inference.family_gap(columns, noise, beta)
    yield compare("excess loss, nearly orthogonal columns", exact, trained=float(cost), tolerance=1e-9 * cost)
    yield compare(
        "Hadamard gap, groups", gaussian.hadamard_gap(precision, FAMILIES["groups"]), trained=gap, tolerance=1e-12
    )


def _gap_by_determinants(matrix: np.ndarray, family) -> float:
    """The log determinants of the blocks less that of the whole."""
    blocks = [[latent] for latent in range(len(matrix))] if family == "diagonal" else family
    inside = sum(np.linalg.slogdet(matrix[np.ix_(group, group)])[1] for group in blocks)
    return float(inside - np.linalg.slogdet(matrix)[1])


def inference_errors(budget: Budget) -> Iterator[Comparison]:
    """Averages over factors, noise and codes: independent factors, correlated ones, more than there are dimensions."""
    rng = np.random.default_rng(102)
    correlated = np.array([[1.0, 0.6, 0.0], [0.6, 1.5, 0.3], [0.0, 0.3, 0.8]])
    cases = {
        "independent": GenerativeModel(rng.standard_normal((4, 3)), 0.4),
        "correlated": GenerativeModel(rng.standard_normal((4, 3)), 0.4, correlated, mean=np.ones(4)),
        "K > D": GenerativeModel(rng.standard_normal((2, 3)), 0.4),
    }
    for name, truth in cases.items():
        decoder = truth.loading + 0.1 * rng.standard_normal(truth.loading.shape)
        vae = inference.optimal_encoder(decoder, 0.5, 1.7)
        if name == "correlated":  # centred elsewhere than the data
            vae = dataclasses.replace(vae, mean=np.linspace(0.2, 1.4, truth.data_dim))
        exact = inference.inference_error(truth, vae)
        for criterion, value in errors_by_cubature(truth, vae).items():
            yield compare(
                f"{criterion}, {name}", getattr(exact, criterion), trained=value, tolerance=ROUNDING * abs(value)
            )
    yield from _errors_without_noise()


def _errors_without_noise() -> Iterator[Comparison]:
    """Data without noise, or factors of a singular covariance: what stays finite, as averages, and what grows for ever.

    Both divergences do, as the noise, or the variance of a combination of factors, falls to zero.
    """
    vae = inference.optimal_encoder(NOISELESS, 0.5, 1.7)
    exact = {
        "no noise in the data": inference.inference_error(GenerativeModel(NOISELESS, 0.0), vae),
        "equal factors": inference.inference_error(GenerativeModel(NOISELESS, 0.4, np.ones((2, 2))), vae),
    }
    widths = (1e-8, 1e-12)
    near = {
        "no noise in the data": [GenerativeModel(NOISELESS, width) for width in widths],
        "equal factors": [GenerativeModel(NOISELESS, 0.4, np.ones((2, 2)) + width * np.eye(2)) for width in widths],
    }
    for name, truths in near.items():
        few, fewer = (errors_by_cubature(truth, vae) for truth in truths)
        for criterion in CRITERIA:
            limit, stated = limit_of_two(few[criterion], fewer[criterion]), getattr(exact[name], criterion)
            tolerance = 1e-10 if np.isfinite(limit) else 0.0
            yield compare(f"{criterion}, {name}", stated, trained=limit, tolerance=tolerance, scale=1.0)


def inference_error_curve(budget: Budget) -> Iterator[Comparison]:
    """Along the curve, with every family, also where the decoder's noise is learned together with the encoder."""
    truth, decoder, _, _ = three_factors()
    betas = np.array([0.6, 2.5])
    for family, noise in (("diagonal", 0.3), ("diagonal", "learned"), ("full", "learned"), ("groups", 0.3)):
        posterior = FAMILIES[family]
        options = {"decoder": decoder, "noise_variance": noise, "posterior": posterior}
        curve = inference.inference_error_curve(truth, betas, **options)
        for at, beta in enumerate(betas):
            errors = trained_errors(truth, float(beta), decoder, noise, posterior)
            for criterion in CRITERIA:
                yield compare(
                    f"{criterion}, beta {beta:g}, {family}, noise {noise}",
                    getattr(curve, criterion)[at],
                    trained=errors[criterion],
                    tolerance=PARAMETER_TOLERANCE,
                )
    wide = GenerativeModel(np.array([[1.0, 0.5, -0.4], [0.2, 0.9, 0.7]]), 0.4)  # more factors than dimensions
    betas = [0.7, 1.2]
    curve = inference.inference_error_curve(wide, betas, noise_variance="learned")
    for at, beta in enumerate(betas):
        for criterion, value in trained_errors(wide, beta, None, "learned").items():
            quantity, stated = f"{criterion}, K > D, beta {beta:g}, noise learned", getattr(curve, criterion)[at]
            yield compare(quantity, stated, trained=value, tolerance=PARAMETER_TOLERANCE)
    yield from _several_noises()
    many = np.linspace(0.5, 2.0, 300_000)  # more than are computed at a time
    last = inference.inference_error_curve(truth, many, decoder=decoder, noise_variance=0.3).forward_kl[-1]
    value = trained_errors(truth, 2.0, decoder, 0.3)["forward_kl"]
    yield compare("forward_kl, the last of many betas", last, trained=value, tolerance=PARAMETER_TOLERANCE)
    yield from _errors_as_the_noise_vanishes()


def _several_noises() -> Iterator[Comparison]:
    """A decoder for which several noises are stationary: the best of them, found among many, jumps with beta."""
    loading = np.vstack([np.diag([10.0, 0.1]), np.zeros(2)])
    truth, decoder = GenerativeModel(loading, 0.01), np.vstack([np.diag([1.0, 5.0]), np.zeros(2)])
    betas = [0.25, 0.5]
    curve = inference.inference_error_curve(truth, betas, decoder=decoder, noise_variance="learned")
    for at, beta in enumerate(betas):
        for criterion, value in errors_by_cubature(truth, with_best_noise(truth, decoder, beta)).items():
            quantity, stated = f"{criterion}, several noises, beta {beta:g}", getattr(curve, criterion)[at]
            yield compare(quantity, stated, trained=value, tolerance=1e-4 * abs(value))


def with_best_noise(truth: GenerativeModel, decoder: np.ndarray, beta: float) -> LinearVAE:
    """The best encoder, by its normal equations, and the best noise: of a grid, then between its neighbours."""

    def vae_at(log_noise: float) -> LinearVAE:
        noise = float(np.exp(log_noise))
        precision = np.eye(decoder.shape[1]) + decoder.T @ decoder / (beta * noise)
        encoder = np.linalg.solve(precision, decoder.T / (beta * noise))
        return LinearVAE(decoder, encoder, np.diag(1 / np.diagonal(precision)), noise)

    def loss(log_noise: float) -> float:
        parts = elbo_terms_by_cubature(vae_at(log_noise), truth.covariance)
        return parts["reconstruction"] + beta * parts["rate"]

    grid = np.linspace(np.log(1e-12), np.log(1e2), 120)
    best = int(np.argmin([loss(log_noise) for log_noise in grid]))
    bounds = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    return vae_at(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-9}).x)


def _errors_as_the_noise_vanishes() -> Iterator[Comparison]:
    """Data without noise, in the decoder's span: its learned noise runs to zero, and the scores to an infinity.

    With the true decoder the posterior closes in on the true factors, with another one on wrong ones.
    """
    truth = GenerativeModel(NOISELESS, 0.0)
    for name, decoder in {"true": truth.loading, "another": truth.loading * [1.1, 1.0]}.items():
        curve = inference.inference_error_curve(truth, [1.2], noise_variance="learned", decoder=decoder)
        far, near = (trained_errors(truth, 1.2, decoder, noise) for noise in (1e-5, 1e-7))
        limit = limit_of_two(far["log_score"], near["log_score"])
        yield compare(f"log_score, noise to zero, {name} decoder", curve.log_score[0], trained=limit, scale=1.0)
        quantity = f"mean_squared_error, noise to zero, {name} decoder"
        value = near["mean_squared_error"]
        yield compare(quantity, curve.mean_squared_error[0], trained=value, tolerance=1e-6, scale=1.0)


def three_factors() -> tuple[GenerativeModel, np.ndarray, float, float]:
    """A truth, a decoder near its loading, beta, and a noise other than the true one."""
    rng = np.random.default_rng(104)
    truth = GenerativeModel(rng.standard_normal((4, 3)), 0.4)
    return truth, truth.loading + 0.2 * rng.standard_normal((4, 3)), 1.7, 0.3


def trained_encoder(
    truth: GenerativeModel, beta: float, decoder=None, noise: float | str = "true", posterior="diagonal"
) -> LinearVAE:
    decoder = truth.loading if decoder is None else decoder
    noise = truth.noise_variance if noise == "true" else noise
    run = train(
        truth.covariance,
        truth.latent_dim,
        beta=beta,
        noise_variance=noise,
        decoder=decoder,
        posterior=posterior,
        gradient_tolerance=GRADIENT_TOLERANCE,
    )
    return run.vae


def trained_errors(truth: GenerativeModel, *arguments) -> dict[str, float]:
    return errors_by_cubature(truth, trained_encoder(truth, *arguments))


CHECKS = {
    "optimal_encoder": optimal_encoder,
    "family_gap": family_gap,
    "inference_errors": inference_errors,
    "inference_error_curve": inference_error_curve,
}
