"""What the functions of `theory.inference` compute, on the pages of the chapter inference."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
from numpy.polynomial import chebyshev

import theory
from theory import gaussian, inference
from theory.derivations.engine.tie import Formula, Tie
from theory.derivations.registry import find
from theory.derivations.ties.inputs import random_covariance
from theory.minimise import COMPLEX_STEP
from theory.partition import partition, partition_mask

__all__ = ["TIES", "UNTIED"]

# For each number of latents a partition into groups.
GROUPS = {3: [[0, 1], [2]], 4: [[0, 2], [3], [1]]}
# Formulas of the page on the four errors, by the names that the functions give the errors.
ERRORS = {
    "mean_squared_error": "The error matrix",
    "log_score": "Log score",
    "forward_kl": "Forward divergence",
    "reverse_kl": "Reverse divergence",
}
BETAS = np.array([0.3, 1.0, 2.5])


@cache
def _formula(page: str, name: str) -> Formula:
    """Another formula, where a case needs two."""
    return Formula(find([page])[0], name)


# The best encoder of a fixed decoder


def _decoders():
    """General ones, one with more latents than dimensions, one with a latent that it does not use."""
    rng = np.random.default_rng(1)
    for latents, dimensions in ((3, 5), (4, 3), (3, 4)):
        decoder = rng.standard_normal((dimensions, latents))
        if dimensions == 4:
            decoder[:, 1] = 0.0
        yield decoder, rng.uniform(0.2, 1.5), rng.uniform(0.3, 3.0)


def _families(latents: int):
    return "diagonal", "full", GROUPS[latents]


def _precision(decoder, level: float) -> np.ndarray:
    """Of the full posterior at the weight 1: that of a truth with this decoder and noise."""
    return np.linalg.inv(theory.GenerativeModel(decoder, level).posterior()[1])


def _precision_of_the_best(optimal_encoder, formula):
    for decoder, noise, beta in _decoders():
        best = optimal_encoder(decoder, noise, beta, posterior="full")
        yield np.linalg.inv(best.posterior_covariance), formula(W=decoder, t=beta * noise, K=best.latent_dim)


def _best_gain(optimal_encoder, formula):
    """The same for all families."""
    for decoder, noise, beta in _decoders():
        for posterior in _families(decoder.shape[1]):
            best = optimal_encoder(decoder, noise, beta, posterior=posterior)
            yield best.encoder, formula(W=decoder, t=beta * noise, K=best.latent_dim)


def _code_encoded_again(optimal_encoder, formula):
    for decoder, noise, beta in _decoders():
        best = optimal_encoder(decoder, noise, beta)
        yield best.encoder @ decoder, formula(W=decoder, t=beta * noise, K=best.latent_dim)


def _excess_loss(optimal_encoder, formula):
    """Of any encoder; the losses are those of `elbo_terms`."""
    rng = np.random.default_rng(2)
    for decoder, noise, beta in _decoders():
        dimensions, latents = decoder.shape
        data = random_covariance(dimensions, rng)
        encoder, posterior = rng.standard_normal((latents, dimensions)), random_covariance(latents, rng)
        models = (
            theory.LinearVAE(decoder, encoder, posterior, noise),
            optimal_encoder(decoder, noise, beta, posterior="full"),
        )
        general, best = (theory.elbo_terms(model, data).loss(beta) for model in models)
        numbers = {"W": decoder, "V": encoder, "Q": posterior, "S": data, "beta": beta, "t": beta * noise}
        yield general - best, formula(**numbers, K=latents)


def _mask(posterior, latents: int) -> np.ndarray:
    return partition_mask(partition(posterior, latents), latents).astype(float)


def _cost_of_the_best(optimal_encoder, formula):
    """At the best covariance of a family what it costs is the gap alone."""
    for decoder, noise, beta in _decoders():
        latents = decoder.shape[1]
        precision = _precision(decoder, beta * noise)
        for posterior in _families(latents):
            best = optimal_encoder(decoder, noise, beta, posterior=posterior).posterior_covariance
            wanted = formula(W=decoder, t=beta * noise, Q=best, B=_mask(posterior, latents), K=latents)
            yield gaussian.hadamard_gap(precision, posterior), wanted


def _excess_loss_of_a_family(optimal_encoder, formula):
    """Of any encoder of the family; the losses are those of `elbo_terms`."""
    rng = np.random.default_rng(7)
    for decoder, noise, beta in _decoders():
        dimensions, latents = decoder.shape
        data, encoder = random_covariance(dimensions, rng), rng.standard_normal((latents, dimensions))
        for posterior in _families(latents):
            covariance, mask = random_covariance(latents, rng), _mask(posterior, latents)
            models = (
                theory.LinearVAE(decoder, encoder, covariance * mask, noise),
                optimal_encoder(decoder, noise, beta, posterior=posterior),
            )
            general, best = (theory.elbo_terms(model, data).loss(beta) for model in models)
            numbers = {"W": decoder, "V": encoder, "Q": covariance, "S": data, "beta": beta, "t": beta * noise}
            yield general - best, formula(**numbers, B=mask, K=latents)


def _price(family_gap, formula):
    for decoder, noise, beta in _decoders():
        latents = decoder.shape[1]
        for posterior in _families(latents):
            wanted = formula(W=decoder, t=beta * noise, beta=beta, B=_mask(posterior, latents), K=latents)
            yield family_gap(decoder, noise, beta, posterior=posterior), wanted


# Errors against the true factors


def _truths(*, correlated: bool = True):
    """Fewer and more factors than dimensions; also of independent factors of variance 1."""
    rng = np.random.default_rng(3)
    for latents, dimensions in ((3, 4), (4, 3)):
        loading, noise = rng.standard_normal((dimensions, latents)), rng.uniform(0.3, 1.2)
        factors = random_covariance(latents, rng)
        yield theory.GenerativeModel(loading, noise, factors if correlated else None)


def _other_decoder(truth) -> np.ndarray:
    return truth.loading + 0.3 * np.random.default_rng(4).standard_normal(truth.loading.shape)


def _of_truth(truth) -> dict:
    """The numbers of its symbols."""
    return {
        "A": truth.loading,
        "Gamma": truth.factor_covariance,
        "Psi": truth.noise_variance * np.eye(truth.data_dim),
        "K": truth.latent_dim,
        "D": truth.data_dim,
    }


def _error(criterion: str, formula: Formula, numbers: dict, encoder, posterior) -> float:
    """One of the four errors by its formula; for the squared error the covariance of the posterior is irrelevant."""
    if criterion == "mean_squared_error":
        return formula(**numbers, V=encoder, M=np.eye(numbers["K"]))
    return formula(**numbers, V=encoder, Q=posterior)


def _error_of_an_encoder(criterion: str):
    """Of any encoder, as it is, and with its latents permuted and signed, which `match` undoes."""

    def cases(inference_error, formula):
        rng = np.random.default_rng(5)
        for correlated in (True, False):
            for truth in _truths(correlated=correlated):
                encoder = rng.standard_normal((truth.latent_dim, truth.data_dim))
                vae = theory.LinearVAE(truth.loading, encoder, random_covariance(truth.latent_dim, rng), 0.9)
                wanted = _error(criterion, formula, _of_truth(truth), vae.encoder, vae.posterior_covariance)
                yield getattr(inference_error(truth, vae), criterion), wanted
        loading = np.eye(4, 3) * [2.0, 1.5, 1.0] + 0.2 * rng.standard_normal((4, 3))
        truth = theory.GenerativeModel(loading, 0.3)
        vae = theory.optimal_encoder(loading, 0.3, 1.4, posterior="full")
        wanted = _error(criterion, formula, _of_truth(truth), vae.encoder, vae.posterior_covariance)
        moved = np.array([[0, -1, 0], [0, 0, 1], [-1, 0, 0]])
        covariance = moved @ vae.posterior_covariance @ moved.T
        vae = theory.LinearVAE(loading @ moved.T, moved @ vae.encoder, covariance, 0.3)
        yield getattr(inference_error(truth, vae, match=True), criterion), wanted

    return cases


def _error_of_the_learned(inference_error, formula):
    """All four: those of reading the factors from the code, which sees them with its gains and has its own noise.

    The last loading has orthogonal columns of different norms: one factor for each latent, as `match` finds.
    """
    rng = np.random.default_rng(6)
    orthogonal = np.linalg.qr(rng.standard_normal((5, 3)))[0] * [1.0, 3.0, 2.0]
    for loading in (rng.standard_normal((5, 3)), rng.standard_normal((3, 3)), orthogonal):
        truth = theory.GenerativeModel(loading, 0.2)
        dimensions, latents = loading.shape
        best = theory.optimum(truth.covariance, latents, beta=0.8, noise_variance=0.15)
        axes, lengths, directions = np.linalg.svd(loading)
        eigenvalues = np.linalg.eigvalsh(truth.covariance)[::-1][:latents]
        gains, variances = (
            _formula("global-optimum", name)(l=eigenvalues, t=0.8 * 0.15)
            for name in ("Encoder gain", "Posterior variance")
        )
        gains = np.eye(latents, dimensions) * (gains * np.sign(np.diagonal(best.vae.encoder @ axes)))[:, np.newaxis]
        seen = formula(F=gains, Lambda=np.eye(dimensions, latents) * lengths, O_R=directions.T, K=latents, D=dimensions)
        separates = loading is orthogonal
        moved = np.sign(np.where(np.abs(seen) > 1e-9, seen, 0.0)).T if separates else np.eye(latents)
        numbers = {"A": moved @ seen, "Gamma": np.eye(latents), "K": latents, "D": latents}
        numbers["Psi"] = truth.noise_variance * moved @ gains @ gains.T @ moved.T
        errors = inference_error(truth, best.vae, match=separates)
        for criterion, title in ERRORS.items():
            posterior = moved @ np.diag(variances) @ moved.T
            wanted = _error(criterion, _formula("inference-error", title), numbers, np.eye(latents), posterior)
            yield getattr(errors, criterion), wanted


def _error_along_beta(criterion: str):
    """Of the best encoder of another decoder with another noise, in each family."""

    def cases(inference_error_curve, formula):
        for truth in _truths():
            decoder, noise = _other_decoder(truth), 0.6
            for posterior in _families(truth.latent_dim):
                curve = inference_error_curve(truth, BETAS, decoder=decoder, noise_variance=noise, posterior=posterior)
                best = [theory.optimal_encoder(decoder, noise, beta, posterior=posterior) for beta in BETAS]
                wanted = [
                    _error(criterion, formula, _of_truth(truth), vae.encoder, vae.posterior_covariance) for vae in best
                ]
                yield getattr(curve, criterion), wanted

    return cases


def _squared_error_of_the_true_decoder(inference_error_curve, formula):
    for truth in _truths(correlated=False):
        for noise in (truth.noise_variance, 0.25):
            deviation = np.sqrt(truth.noise_variance)
            matrices = [formula(A=truth.loading, t=beta * noise, tau=deviation, K=truth.latent_dim) for beta in BETAS]
            curve = inference_error_curve(truth, BETAS, noise_variance=noise)
            yield curve.mean_squared_error, [np.trace(matrix) for matrix in matrices]


def _squared_error_by_modes(inference_error_curve, formula):
    """Of more factors than dimensions some modes are zero."""
    for truth in _truths(correlated=False):
        modes = np.linalg.eigvalsh(truth.loading.T @ truth.loading)
        for noise in (truth.noise_variance, 0.25):
            wanted = [formula(g=modes, t=beta * noise, tau=np.sqrt(truth.noise_variance)).sum() for beta in BETAS]
            yield inference_error_curve(truth, BETAS, noise_variance=noise).mean_squared_error, wanted


def _squared_error_of_correlated_factors(inference_error_curve, formula):
    for truth in _truths():
        numbers = {"A": truth.loading, "Gamma": truth.factor_covariance, "tau": np.sqrt(truth.noise_variance)}
        wanted = [formula(**numbers, t=beta * 0.25, K=truth.latent_dim) for beta in BETAS]
        yield inference_error_curve(truth, BETAS, noise_variance=0.25).mean_squared_error, wanted


# The beta of least error


def _slope_of_modes(criterion: str):
    """At the best beta, for independent factors and a noise other than the truth's; as a sum over modes."""

    def cases(optimal_beta, formula):
        for truth in _truths(correlated=False):
            modes = np.linalg.eigvalsh(truth.loading.T @ truth.loading)
            for noise in (truth.noise_variance, 0.25):
                best = optimal_beta(truth, criterion, noise_variance=noise)
                yield formula(g=modes, t=best.beta * noise, tau=np.sqrt(truth.noise_variance)).sum(), 0.0

    return cases


def _slope_of_variances(optimal_beta, formula):
    """As a sum over factors."""
    for truth in _truths(correlated=False):
        norms = np.diagonal(truth.loading.T @ truth.loading)
        for noise in (truth.noise_variance, 0.25):
            best = optimal_beta(truth, "reverse_kl", noise_variance=noise)
            yield formula(g=norms, t=best.beta * noise, tau=np.sqrt(truth.noise_variance)).sum(), 0.0


def _slope_of_means_in_matrices(optimal_beta, formula):
    """Of every family, as the mean is the same."""
    for truth, _, numbers in _optima_of_the_reverse(optimal_beta):
        yield formula(A=truth.loading, **numbers), 0.0


def _slope_of_variances_in_matrices(optimal_beta, formula):
    for truth, posterior, numbers in _optima_of_the_reverse(optimal_beta):
        yield formula(A=truth.loading, B=_mask(posterior, truth.latent_dim), **numbers), 0.0


def _optima_of_the_reverse(optimal_beta):
    """Truths of independent factors, the families, and the level of least reverse divergence."""
    for truth in _truths(correlated=False):
        for posterior in _families(truth.latent_dim):
            for noise in (truth.noise_variance, 0.25):
                best = optimal_beta(truth, "reverse_kl", noise_variance=noise, posterior=posterior)
                numbers = {"t": best.beta * noise, "tau": np.sqrt(truth.noise_variance), "K": truth.latent_dim}
                yield truth, posterior, numbers


def _slope_in_beta(optimal_beta, formula):
    for truth in _truths(correlated=False):
        modes = np.linalg.eigvalsh(truth.loading.T @ truth.loading)
        for noise in (truth.noise_variance, 0.25):
            best = optimal_beta(truth, "mean_squared_error", noise_variance=noise)
            deviations = {"sigma": np.sqrt(noise), "tau": np.sqrt(truth.noise_variance)}
            yield formula(g=modes, beta=best.beta, **deviations).sum(), 0.0


def _modes_of_correlated(truth) -> tuple[np.ndarray, np.ndarray]:
    """The modes that are not zero, and the variance of the factors along each."""
    modes, directions = np.linalg.eigh(truth.loading.T @ truth.loading)
    variances = np.diagonal(directions.T @ truth.factor_covariance @ directions)
    return modes[modes > 1e-9], variances[modes > 1e-9]


def _slope_of_correlated(optimal_beta, formula):
    for truth in _truths():
        modes, variances = _modes_of_correlated(truth)
        best = optimal_beta(truth, "mean_squared_error", noise_variance=0.25)
        deviation = np.sqrt(truth.noise_variance)
        yield formula(g=modes, gamma=variances, t=best.beta * 0.25, tau=deviation).sum(), 0.0


def _inner_optima(optimal_beta, criterion: str):
    """Truths, decoders and noises with the best beta, where it is neither zero nor infinite."""
    for correlated in (True, False):
        for truth in _truths(correlated=correlated):
            decoder = _other_decoder(truth)
            best = optimal_beta(truth, criterion, decoder=decoder, noise_variance=0.25)
            if best.attained:
                yield truth, decoder, 0.25, best


def _slope_of_any_decoder(optimal_beta, formula):
    """The mean squared error is the trace of the error matrix, of the weight I."""
    for truth, decoder, noise, best in _inner_optima(optimal_beta, "mean_squared_error"):
        yield formula(**_of_truth(truth), W=decoder, t=best.beta * noise, M=np.eye(truth.latent_dim)), 0.0


def _slope_of_the_error(factor: int, truth, decoder, level: float) -> float:
    """Of one factor, for the log score."""
    formula, weight = _formula("inference-error", "Any decoder: the slope of the error"), np.zeros(truth.latent_dim)
    weight[factor] = 1.0
    return formula(**_of_truth(truth), W=decoder, t=level, M=np.diag(weight))


def _log_score_slope_of_any_decoder(criterion: str):
    """As a sum over factors, of the error of each and its slope."""

    def cases(optimal_beta, formula):
        for truth, decoder, noise, best in _inner_optima(optimal_beta, criterion):
            level = best.beta * noise
            gain = _formula("optimal-encoder", "V_o")(W=decoder, t=level, K=truth.latent_dim)
            errors = np.diagonal(_formula("inference-error", "E")(**_of_truth(truth), V=gain))
            slopes = [_slope_of_the_error(factor, truth, decoder, level) for factor in range(truth.latent_dim)]
            yield formula(h=np.sum(decoder**2, axis=0), t_o=level, c=errors, k=np.array(slopes)).sum(), 0.0

    return cases


def _error_at_the_best_beta(criterion: str):
    def cases(optimal_beta, formula):
        for truth in _truths():
            for posterior in _families(truth.latent_dim):
                best = optimal_beta(truth, criterion, noise_variance=0.25, posterior=posterior)
                vae = theory.optimal_encoder(truth.loading, 0.25, best.beta, posterior=posterior)
                yield best.error, _error(criterion, formula, _of_truth(truth), vae.encoder, vae.posterior_covariance)

    return cases


# The forward divergence around one, a wrong noise, correlated factors


def _slope_at_one(forward_kl_slope, formula):
    """As a sum over factors; also of orthogonal columns, where it is zero."""
    orthogonal = np.linalg.qr(np.random.default_rng(7).standard_normal((4, 3)))[0] * [0.5, 1.0, 2.0]
    for truth in (*_truths(correlated=False), theory.GenerativeModel(orthogonal, 0.6)):
        latents, deviation = truth.latent_dim, np.sqrt(truth.noise_variance)
        factors = np.eye(latents)[:, :, np.newaxis]
        slopes = [formula(A=truth.loading, u=factor, sigma=deviation, K=latents) for factor in factors]
        yield forward_kl_slope(truth), np.sum(slopes)


NOISES = ((1.3, 0.25, 4.0), (0.7, 2.0, 0.6), (2.4, 0.5, 0.5))


def _same_precision(mismatched_beta, formula):
    for decoder, _, _ in _decoders():
        latents = decoder.shape[1]
        for beta, true, other in NOISES:
            scaled = mismatched_beta(beta, true, other)
            deviations = {"tau": np.sqrt(true), "sigma": np.sqrt(other)}
            yield formula(W=decoder, b=scaled, beta=beta, **deviations), np.zeros((latents, latents))


def _slope_with_the_wrong_noise(mismatched_beta, formula):
    """With the true noise the best weight is 1."""
    modes = np.array([0.3, 1.0, 4.0])
    for _, true, other in NOISES:
        best = mismatched_beta(1.0, true, other)
        yield formula(g=modes, beta=best, sigma=np.sqrt(other), tau=np.sqrt(true)), np.zeros(3)


def _ends_of_the_bracket(squared_error_level_bracket, formula):
    """At the lower end no mode rises, and one is stationary; at the upper end none falls."""
    for truth in _truths():
        modes, variances = _modes_of_correlated(truth)
        numbers = {"g": modes, "gamma": variances, "tau": np.sqrt(truth.noise_variance)}
        low, high = squared_error_level_bracket(truth)
        yield formula(**numbers, t=low).max(), 0.0
        yield formula(**numbers, t=high).min(), 0.0


# Two factors

TWO_FACTORS = ((2.0, 0.3), (5.0, 0.8), (0.5, -0.8), (40.0, 0.9))


def _polynomial(two_factor_polynomial, formula):
    betas = np.array([0.3, 1.0, 1.7, 2.0, 3.1, 4.0, 5.5, 7.0])
    for a, r in TWO_FACTORS:
        yield np.polynomial.Polynomial(two_factor_polynomial(a, r))(betas), formula(a=a, r=r, beta=betas)


def _stationary_beta(two_factor_optimal_beta, formula):
    for a, r in (*TWO_FACTORS, (200.0, 0.96)):
        yield formula(a=a, r=r, beta=two_factor_optimal_beta(a, r)), 0.0


def _best_root(two_factor_optimal_beta, formula):
    """Of all positive roots of the polynomial; the last of these cases has three."""
    for a, r in (*TWO_FACTORS, (200.0, 0.96)):
        roots = np.polynomial.Polynomial(inference.two_factor_polynomial(a, r)).roots()
        roots = roots.real[(np.abs(roots.imag) < 1e-9) & (roots.real > 0)]
        yield formula(a=a, r=r, beta=two_factor_optimal_beta(a, r)), formula(a=a, r=r, beta=roots).min()


def _coefficient_of_small_coherence(small_coherence_beta, formula):
    for a in (0.5, 3.0, 20.0):
        for r in (0.3, -0.7):
            yield (small_coherence_beta(a, r) - small_coherence_beta(a, 0.0)) / r**2, formula(a=a)


def _beta_without_coherence(small_coherence_beta, formula):
    for a in (0.5, 3.0, 20.0):
        yield formula(a=a, r=0.0, beta=small_coherence_beta(a, 0.0)), 0.0


# Random mixing

MIXINGS = ((0.5, 4.0), (1.4, 3.0), (3.0, 0.7))


def _random_squared_error(random_mixing_errors, formula):
    for c, a in MIXINGS:
        yield random_mixing_errors(c, a, BETAS).mean_squared_error, formula(a=a, c=c, beta=BETAS)


def _spectral_law(transform: Formula, c: float, a: float) -> tuple[np.ndarray, np.ndarray]:
    """Modes and weights of the law with this transform: its jump across the spectrum, and its atom at zero."""
    points, weights = chebyshev.chebgauss(80)
    middle, half = a * (1 + c), 2 * a * np.sqrt(c)
    modes = middle + half * points
    density = np.abs(transform(a=a, c=c, z=-modes + 0j).imag) / np.pi
    tiny = 1e-12
    atom = tiny * transform(a=a, c=c, z=tiny) if c > 1 else 0.0
    return np.append(modes, 0.0), np.append(half * weights * np.sqrt(1 - points**2) * density, atom)


def _random_errors(criterion: str):
    """The average over the law of the error of one mode, with the variance of a factor of the mean mode."""

    def cases(random_mixing_errors, formula):
        of_mode = _formula("inference-error", ERRORS[criterion])
        one = np.eye(1)
        for c, a in MIXINGS:
            modes, weights = _spectral_law(formula, c, a)
            wanted = []
            for beta in BETAS:
                variance = theory.optimal_encoder([[np.sqrt(a)]], 1.0, beta).posterior_covariance
                errors = []
                for column in np.sqrt(modes)[:, np.newaxis, np.newaxis]:
                    gain = theory.optimal_encoder(column, 1.0, beta).encoder
                    numbers = {"A": column, "Gamma": one, "Psi": one, "K": 1, "D": 1}
                    errors.append(_error(criterion, of_mode, numbers, gain, variance))
                wanted.append(weights @ errors)
            yield getattr(random_mixing_errors(c, a, BETAS), criterion), wanted

    return cases


def _random_information(random_mixing_errors, formula):
    """Log score and forward divergence differ by the entropy of the true posterior, of this log determinant."""
    for c, a in MIXINGS:
        errors = random_mixing_errors(c, a, BETAS)
        entropy = gaussian.entropy([[np.exp(-formula(a=a, c=c, z=1.0))]])
        yield -(errors.forward_kl + errors.log_score), np.full(len(BETAS), entropy)


def _random_optimum(random_mixing_optimal_beta, formula):
    """A zero of the slope of the error, or of that of the log score, in which the error and its slope enter."""
    share = _formula("inference-error", "Any decoder: the slope of the log score")
    for c, a in MIXINGS:
        for criterion in ("mean_squared_error", "forward_kl", "log_score"):
            best = random_mixing_optimal_beta(c, a, criterion)
            error = formula(a=a, c=c, beta=best + 1j * COMPLEX_STEP)
            slope = error.imag / COMPLEX_STEP
            yield slope if criterion == "mean_squared_error" else share(h=a, t_o=best, c=error.real, k=slope), 0.0


def _random_optimum_of_the_reverse(random_mixing_optimal_beta, formula):
    for c, a in MIXINGS:
        yield formula(g=a, t=random_mixing_optimal_beta(c, a, "reverse_kl"), tau=1.0), 0.0


ENCODER, GAP = "theory.optimal_encoder", "theory.inference.family_gap"
ERROR, CURVE, BEST = "theory.inference_error", "theory.inference_error_curve", "theory.optimal_beta"
SLOPE, MISMATCHED = "theory.inference.forward_kl_slope", "theory.inference.mismatched_beta"
BRACKET = "theory.inference.squared_error_level_bracket"
POLYNOMIAL, TWO = "theory.inference.two_factor_polynomial", "theory.inference.two_factor_optimal_beta"
COHERENCE = "theory.inference.small_coherence_beta"
RANDOM, RANDOM_BEST = "theory.inference.random_mixing_errors", "theory.inference.random_mixing_optimal_beta"

# At an optimum a slope is zero: its scale is 1.
Stationary = partial(Tie, scale=1.0)

TIES = (
    Tie(ENCODER, "optimal-encoder", "P", _precision_of_the_best),
    Tie(ENCODER, "optimal-encoder", "V_o", _best_gain),
    Tie(ENCODER, "optimal-encoder", "The best gain", _code_encoded_again),
    Tie(ENCODER, "optimal-encoder", "The loss as a completed square", _excess_loss),
    Tie(ENCODER, "posterior-families", "What depends on the covariance", _cost_of_the_best),
    Tie(ENCODER, "posterior-families", "The loss as a completed square", _excess_loss_of_a_family),
    Tie(GAP, "posterior-families", "The price of a family", _price),
    *(Tie(ERROR, "inference-error", title, _error_of_an_encoder(criterion)) for criterion, title in ERRORS.items()),
    Tie(ERROR, "global-optimum", "What a learned latent sees of the factors", _error_of_the_learned),
    *(Tie(CURVE, "inference-error", title, _error_along_beta(criterion)) for criterion, title in ERRORS.items()),
    Tie(CURVE, "inference-error", "Error matrix of the best encoder", _squared_error_of_the_true_decoder),
    Tie(CURVE, "inference-error", "One mode of the mean squared error", _squared_error_by_modes),
    Tie(CURVE, "noise-mismatch", "Error with correlated factors", _squared_error_of_correlated_factors),
    Stationary(
        BEST,
        "inference-error",
        "The mean squared error is least at the true water level",
        _slope_of_modes("mean_squared_error"),
    ),
    Stationary(BEST, "inference-error", "Reverse divergence: the part of the mean", _slope_of_modes("reverse_kl")),
    Stationary(BEST, "inference-error", "Reverse divergence: the part of the variances", _slope_of_variances),
    Stationary(BEST, "inference-error", "The slope of the part of the mean", _slope_of_means_in_matrices),
    Stationary(BEST, "inference-error", "The slope of the part of the variances", _slope_of_variances_in_matrices),
    Stationary(BEST, "inference-error", "Any decoder: the slope of the error", _slope_of_any_decoder),
    *(
        Stationary(
            BEST,
            "inference-error",
            "Any decoder: the slope of the log score",
            _log_score_slope_of_any_decoder(criterion),
        )
        for criterion in ("forward_kl", "log_score")
    ),
    *(Tie(BEST, "inference-error", title, _error_at_the_best_beta(criterion)) for criterion, title in ERRORS.items()),
    Stationary(BEST, "noise-mismatch", "Mean squared error with the wrong noise", _slope_in_beta),
    Stationary(BEST, "noise-mismatch", "One mode", _slope_of_correlated),
    Tie(SLOPE, "slope-at-one", "Slope at one", _slope_at_one),
    Stationary(MISMATCHED, "noise-mismatch", "The precision at another noise and weight", _same_precision),
    Stationary(MISMATCHED, "noise-mismatch", "Mean squared error with the wrong noise", _slope_with_the_wrong_noise),
    Stationary(BRACKET, "noise-mismatch", "One mode", _ends_of_the_bracket),
    Tie(POLYNOMIAL, "two-factors", "p(beta, r)", _polynomial),
    Stationary(TWO, "two-factors", "The stationarity polynomial", _stationary_beta),
    Tie(TWO, "two-factors", "J(beta, r)", _best_root),
    Tie(COHERENCE, "two-factors", "b", _coefficient_of_small_coherence),
    Stationary(COHERENCE, "two-factors", "The stationarity polynomial", _beta_without_coherence),
    Tie(RANDOM, "random-mixing", "Mean squared error per factor", _random_squared_error),
    *(Tie(RANDOM, "random-mixing", "m(z)", _random_errors(criterion)) for criterion in ERRORS),
    Tie(RANDOM, "random-mixing", "H(z)", _random_information),
    Stationary(RANDOM_BEST, "random-mixing", "Mean squared error per factor", _random_optimum),
    Stationary(
        RANDOM_BEST,
        "inference-error",
        "Reverse divergence: the part of the variances",
        _random_optimum_of_the_reverse,
    ),
)

UNTIED: dict[tuple[str, str], str] = {}
