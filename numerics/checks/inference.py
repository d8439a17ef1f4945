"""Checks of the results on inference with a fixed decoder.

Encoders follow the gradient of the loss while the decoder is fixed. An optimal beta is confirmed by a scalar search
that trains an encoder from a random start at every evaluation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize_scalar

import theory
from numerics.checks.differences import SHIFTS, slope_of
from numerics.comparison import Budget, Comparison, compare, compare_arrays
from numerics.diagnosis.certificate import certify
from numerics.sampling.cubature import errors_by_cubature
from numerics.training.train import train
from theory import gaussian, inference
from theory.inference.errors_along_beta import CRITERIA
from theory.model import GenerativeModel, LinearVAE

__all__ = ["CHECKS"]

FAMILIES = {"diagonal": "diagonal", "full": "full", "groups": [[0, 2], [1]]}

# Training stops at a gradient of 1e-10: the loss is then at its minimum to rounding, parameters are within 1e-8.
GRADIENT_TOLERANCE = 1e-10
LOSS_TOLERANCE = 1e-10
PARAMETER_TOLERANCE = 1e-6
ROUNDING = 1e-12  # of cubature, which is exact for the errors
# Training leaves 1e-11 in an error; the beta of the least error is known only to about the square root of that.
SEARCH_TOLERANCE = 1e-4

COHERENT = GenerativeModel(np.array([[1.0, 0.9], [0.0, 0.436]]), 0.5)


def optimal_encoder(budget: Budget) -> Iterator[Comparison]:
    truth, decoder, beta, noise = _three_factors()
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
    decoder = decoder * [1.0, 1e-7, 1e-3]
    for name, posterior in FAMILIES.items():
        vae = inference.optimal_encoder(decoder, 1e-14, 1.0, posterior=posterior)
        data = decoder @ decoder.T + 1e-14 * np.eye(4)
        certificate = certify(vae, data, 1.0, learned_decoder=False, posterior=posterior)
        gradient, scale = certificate.gradient_norm, certificate.scale
        quantity = f"gradient, columns of very different sizes, {name}"
        yield compare(quantity, 0.0, trained=gradient, tolerance=1e-11 * scale, scale=scale)


def family_gap(budget: Budget) -> Iterator[Comparison]:
    """What a smaller family costs is the difference of two trained losses."""
    truth, decoder, beta, noise = _three_factors()
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
    """Data without noise: what stays finite, as averages; the divergences grow without end as the noise falls."""
    loading = np.array([[1.0, 0.3], [0.2, 0.8], [0.4, 0.1]])
    vae = inference.optimal_encoder(loading, 0.5, 1.7)
    exact = inference.inference_error(GenerativeModel(loading, 0.0), vae)
    few, fewer = (errors_by_cubature(GenerativeModel(loading, noise), vae) for noise in (1e-8, 1e-12))
    for criterion in ("mean_squared_error", "log_score"):
        quantity = f"{criterion}, no noise in the data"
        yield compare(quantity, getattr(exact, criterion), trained=fewer[criterion], tolerance=1e-11)
    for criterion in ("forward_kl", "reverse_kl"):
        limit = np.inf if fewer[criterion] - few[criterion] > 1 else fewer[criterion]
        yield compare(f"{criterion}, no noise in the data", getattr(exact, criterion), trained=limit, scale=1.0)


def inference_error_curve(budget: Budget) -> Iterator[Comparison]:
    """Along the curve, with every family, also where the decoder's noise is learned together with the encoder."""
    truth, decoder, _, _ = _three_factors()
    betas = np.array([0.6, 2.5])
    for family, noise in (("diagonal", 0.3), ("diagonal", "learned"), ("full", "learned"), ("groups", 0.3)):
        posterior = FAMILIES[family]
        options = {"decoder": decoder, "noise_variance": noise, "posterior": posterior}
        curve = inference.inference_error_curve(truth, betas, **options)
        for at, beta in enumerate(betas):
            errors = _trained_errors(truth, float(beta), decoder, noise, posterior)
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
        for criterion, value in _trained_errors(wide, beta, None, "learned").items():
            quantity, stated = f"{criterion}, K > D, beta {beta:g}, noise learned", getattr(curve, criterion)[at]
            yield compare(quantity, stated, trained=value, tolerance=PARAMETER_TOLERANCE)
    yield from _errors_as_the_noise_vanishes()


def _errors_as_the_noise_vanishes() -> Iterator[Comparison]:
    """Data without noise, in the decoder's span: its learned noise runs to zero, and the scores to an infinity.

    With the true decoder the posterior closes in on the true factors, with another one on wrong ones.
    """
    truth = GenerativeModel(np.array([[1.0, 0.3], [0.2, 0.8], [0.4, 0.1]]), 0.0)
    for name, decoder in {"true": truth.loading, "another": truth.loading * [1.1, 1.0]}.items():
        curve = inference.inference_error_curve(truth, [1.2], noise_variance="learned", decoder=decoder)
        far, near = (_trained_errors(truth, 1.2, decoder, noise) for noise in (1e-5, 1e-7))
        change = near["log_score"] - far["log_score"]
        limit = np.sign(change) * np.inf if abs(change) > 1 else near["log_score"]
        yield compare(f"log_score, noise to zero, {name} decoder", curve.log_score[0], trained=limit, scale=1.0)
        quantity = f"mean_squared_error, noise to zero, {name} decoder"
        value = near["mean_squared_error"]
        yield compare(quantity, curve.mean_squared_error[0], trained=value, tolerance=1e-6, scale=1.0)


def optimal_beta(budget: Budget) -> Iterator[Comparison]:
    for criterion in CRITERIA:
        exact = inference.optimal_beta(COHERENT, criterion)
        beta, error = _search(COHERENT, criterion, bounds=(0.3, 5.0))
        yield compare(f"beta*, {criterion}", exact.beta, trained=beta, tolerance=SEARCH_TOLERANCE)
        yield compare(f"error at beta*, {criterion}", exact.error, trained=error, tolerance=LOSS_TOLERANCE)
    truth, decoder, _, noise = _three_factors()
    for family in ("full", "groups"):
        options = {"decoder": decoder, "noise_variance": noise, "posterior": FAMILIES[family]}
        exact = inference.optimal_beta(truth, **options)
        beta, error = _search(truth, "forward_kl", (0.3, 10.0), decoder, noise, FAMILIES[family])
        yield compare(f"beta*, another decoder, {family}", exact.beta, trained=beta, tolerance=SEARCH_TOLERANCE)
        yield compare(f"error there, {family}", exact.error, trained=error, tolerance=LOSS_TOLERANCE)
    yield from _optima_at_an_end()


def _optima_at_an_end() -> Iterator[Comparison]:
    """Squared errors that fall towards one end of the betas, zero or infinity, and one that does not depend on beta."""
    loading = np.array([[1.0, 0.3], [0.0, 0.8], [0.0, 0.0]])
    decoder = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.5]])  # which sees the noise alone
    cases = {
        "no noise in the data": (GenerativeModel(loading, 0.0), loading, 0.0),
        "a decoder that sees the noise alone": (GenerativeModel(loading, 0.4), decoder, np.inf),
    }
    betas = np.geomspace(1e-4, 1e4, 9)
    for name, (truth, fixed, end) in cases.items():
        best = inference.optimal_beta(truth, "mean_squared_error", decoder=fixed, noise_variance=0.5)
        errors = [_trained_errors(truth, beta, fixed, 0.5)["mean_squared_error"] for beta in betas]
        fall = np.diff(errors if end else errors[::-1])
        found = end if np.all(fall < 0) else betas[np.argmin(errors)]
        yield compare(f"beta*, {name}", best.beta, trained=found, scale=1.0)
        yield compare(f"attained, {name}", float(best.attained), trained=float(0 < found < np.inf), scale=1.0)
        # At a water level, or an inverse one, of 5e-5 the error is still of the order of its square above the limit.
        limit = errors[-1] if end else errors[0]
        yield compare(f"error in the limit, {name}", best.error, trained=limit, tolerance=1e-6, scale=truth.latent_dim)
    truth = GenerativeModel(np.zeros((3, 2)), 0.4)
    best = inference.optimal_beta(truth, "mean_squared_error")
    errors = [_trained_errors(truth, beta)["mean_squared_error"] for beta in betas[::4]]
    spread = float(np.ptp(errors))
    yield compare("not flat without a signal", float(not best.flat), trained=spread, tolerance=1e-12, scale=1.0)
    yield compare("error without a signal", best.error, trained=errors[0], tolerance=LOSS_TOLERANCE)


def optimal_beta_learned_noise(budget: Budget) -> Iterator[Comparison]:
    """Noise and encoder learned together, with the true decoder fixed."""
    truth, *_ = _three_factors()
    for criterion in CRITERIA[:2]:
        exact = inference.optimal_beta(truth, criterion, noise_variance="learned")
        beta, error = _search(truth, criterion, bounds=(0.3, 3.0), noise="learned")
        yield compare(f"beta*, {criterion}", exact.beta, trained=beta, tolerance=SEARCH_TOLERANCE)
        yield compare(f"error at beta*, {criterion}", exact.error, trained=error, tolerance=LOSS_TOLERANCE)


def slope_at_one(budget: Budget) -> Iterator[Comparison]:
    """A central difference of trained encoders' errors, wrong by the step squared (1e-6) times a third derivative."""
    step = 1e-3
    right, left = (_trained_errors(COHERENT, 1 + h)["forward_kl"] for h in (step, -step))
    exact = inference.forward_kl_slope(COHERENT)
    yield compare("d forward KL / d beta", exact, trained=(right - left) / (2 * step), tolerance=1e-5)


def two_factors(budget: Budget) -> Iterator[Comparison]:
    """The polynomial against the search for trained encoders, across the jump against the general closed form."""
    a, r = 2.0, 0.3
    truth = GenerativeModel(inference.two_factor_loading(a, r), 1.0)
    exact = inference.two_factor_optimal_beta(a, r)
    beta, _ = _search(truth, "forward_kl", bounds=(0.5, 2.0))
    yield compare(f"beta*, a = {a:g}, r = {r:g}", exact, trained=beta, tolerance=SEARCH_TOLERANCE)
    scaled = inference.two_factor_loading(a, r, 0.25)
    lengths = 0.25 * a * np.array([[1.0, r], [r, 1.0]])
    yield compare_arrays("products of the columns, noise 0.25", scaled.T @ scaled, lengths, 1e-13)
    # The polynomial is the slope of the forward KL of both factors times what keeps its sign.
    at, step = 1.4, 0.02
    slope = slope_of([_trained_errors(truth, at + shift * step)["forward_kl"] for shift in SHIFTS], step)
    factor = at**2 * (at + a) * (at + a * (1 + r)) ** 3 * (at + a * (1 - r)) ** 3
    polynomial = float(inference.two_factor_polynomial(a, r) @ at ** np.arange(8))
    yield compare("polynomial", polynomial, trained=slope * factor, tolerance=1e-4 * abs(polynomial))
    for r in (0.9575, 0.96):
        general = inference.optimal_beta(GenerativeModel(inference.two_factor_loading(200.0, r), 1.0)).beta
        exact = inference.two_factor_optimal_beta(200.0, r)
        yield compare(f"beta*, a = 200, r = {r:g}", exact, trained=general, tolerance=1e-9 * exact)
    r = 0.02  # the expansion leaves out terms of order r^4
    general = inference.optimal_beta(GenerativeModel(inference.two_factor_loading(a, r), 1.0)).beta
    exact = inference.small_coherence_beta(a, r)
    yield compare(f"expansion of beta* - 1, r = {r:g}", exact - 1, trained=general - 1, tolerance=r**4)


def noise_mismatch(budget: Budget) -> Iterator[Comparison]:
    """A decoder with a noise other than the true one: the optimum of every error is scaled by the ratio."""
    noise = 0.8
    for criterion in CRITERIA:
        matched = inference.optimal_beta(COHERENT, criterion).beta
        exact = inference.mismatched_beta(matched, COHERENT.noise_variance, noise)
        beta, _ = _search(COHERENT, criterion, bounds=(0.2, 3.0), noise=noise)
        yield compare(f"beta*, {criterion}", exact, trained=beta, tolerance=SEARCH_TOLERANCE)


def correlated_factors(budget: Budget) -> Iterator[Comparison]:
    """Where the results for independent factors fail: forward KL least below 1, a bracket for the squared error."""
    loading = np.linalg.cholesky(2 * np.array([[1.0, 0.99], [0.99, 1.0]])).T
    truth = GenerativeModel(loading, 1.0, np.array([[1.0, 0.9], [0.9, 1.0]]))
    exact = inference.optimal_beta(truth).beta
    beta, _ = _search(truth, "forward_kl", bounds=(0.2, 2.0))
    yield compare("beta*, forward_kl", exact, trained=beta, tolerance=SEARCH_TOLERANCE)
    low, high = inference.squared_error_level_bracket(truth)
    level = _search(truth, "mean_squared_error", bounds=(0.2, 2.0))[0] * truth.noise_variance
    yield compare("water level in its bracket", float(np.clip(level, low, high)), trained=level)
    one_direction = GenerativeModel(np.array([[1.0, 0.5], [2.0, 1.0]]), 1.0, np.array([[1.0, 0.6], [0.6, 2.0]]))
    level = _search(one_direction, "mean_squared_error", bounds=(0.2, 2.0))[0] * one_direction.noise_variance
    for end, value in zip(("low", "high"), inference.squared_error_level_bracket(one_direction), strict=True):
        yield compare(f"bracket of a single direction, {end}", value, trained=level, tolerance=SEARCH_TOLERANCE)


def _three_factors() -> tuple[GenerativeModel, np.ndarray, float, float]:
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


def _trained_errors(truth: GenerativeModel, *arguments) -> dict[str, float]:
    return errors_by_cubature(truth, trained_encoder(truth, *arguments))


def _search(
    truth: GenerativeModel, criterion: str, bounds, decoder=None, noise: float | str = "true", posterior="diagonal"
) -> tuple[float, float]:
    """The beta at which the error of trained encoders is least, and the error there."""
    sign = -1 if criterion == "log_score" else 1

    def cost(beta):
        return sign * _trained_errors(truth, beta, decoder, noise, posterior)[criterion]

    minimum = minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    return float(minimum.x), sign * float(minimum.fun)


CHECKS = {
    "optimal_encoder": optimal_encoder,
    "family_gap": family_gap,
    "inference_errors": inference_errors,
    "inference_error_curve": inference_error_curve,
    "optimal_beta": optimal_beta,
    "optimal_beta_learned_noise": optimal_beta_learned_noise,
    "slope_at_one": slope_at_one,
    "two_factors": two_factors,
    "noise_mismatch": noise_mismatch,
    "correlated_factors": correlated_factors,
}
