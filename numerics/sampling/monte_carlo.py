"""Monte Carlo of the closed forms of the theory: only draws and Gaussian densities.

Factors, data and codes are drawn from the models; every quantity is the mean of one number per draw, with its standard
error. Densities come from `numerics.sampling.gaussian`, not from the theory; the posterior of the truth enters only
through Bayes' rule, log p(s|x) = log p(x|s) + log p(s) - log p(x).

What is averaged is `error_values` and `elbo_values`, functions of standard normal numbers; `numerics.sampling.cubature`
averages the same over a few points instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from numerics.sampling.estimate import Estimate
from numerics.sampling.gaussian import log_density, row_squares, square_root, triangle
from theory import gaussian, validation
from theory.model import GenerativeModel, LinearVAE, linear_vae, mean_offset
from theory.moments import as_moments

__all__ = [
    "ERRORS",
    "Source",
    "elbo_values",
    "error_values",
    "sample_elbo_terms",
    "sample_errors",
    "true_log_posterior_values",
]

DIVERGENCES = ("forward_kl", "reverse_kl")
ERRORS = ("mean_squared_error", *DIVERGENCES, "log_score")

MOST_DRAWS = 10**9  # for a standard error of 3e-5 of a standard deviation; more is a mistake
CHUNK = 2**21  # numbers drawn at a time, to bound the memory

Source = Callable[[int], np.ndarray]  # standard normal numbers, so many a row


def sample_errors(
    truth: GenerativeModel, vae: LinearVAE, n: int, rng: np.random.Generator | int
) -> dict[str, Estimate]:
    """The four inference errors of a VAE's encoder, latent j standing for factor j, from n draws of factors and noise.

        mean_squared_error   |s - mu(x)|^2
        forward_kl           log p(s|x) - log q(s|x)          at the true s
        reverse_kl           log q(z|x) - log p(z|x)          at codes z ~ q(.|x)
        log_score            log q(s|x)                       at the true s

    Parameters
    ----------
    truth : GenerativeModel
    vae : LinearVAE
        with as many latents as the truth has factors.
    n : int, from 2 to 10^9
    rng : numpy.random.Generator, or a seed

    Returns
    -------
    dict of Estimate
        by the names of `theory.InferenceError`. Where p(s|x) has no density (tau2 = 0 with a loading that is not zero,
        or a singular factor covariance) both divergences are infinite, with standard error 0.

    Raises
    ------
    ValueError
        if the dimensions differ or n < 2.
    """
    truth, vae = validation.instance("truth", truth, GenerativeModel), linear_vae("vae", vae)
    n, rng = _draws(n), validation.random_generator("rng", rng)
    if (vae.data_dim, vae.latent_dim) != (truth.data_dim, truth.latent_dim):
        raise ValueError(
            f"vae must have the truth's {truth.data_dim} data dimensions and {truth.latent_dim} latents, "
            f"got {vae.data_dim} and {vae.latent_dim}"
        )
    singular = np.isneginf(gaussian.log_determinant(truth.factor_covariance))
    singular |= truth.noise_variance == 0 and np.any(truth.loading)
    values = error_values(truth, vae, [name for name in ERRORS if not (singular and name in DIVERGENCES)])
    infinite = dict.fromkeys(DIVERGENCES, Estimate(np.inf, 0.0)) if singular else {}
    return _estimates(values, n, rng, truth.data_dim + truth.latent_dim, "truth and vae") | infinite


def error_values(
    truth: GenerativeModel, vae: LinearVAE, names: Sequence[str] = ERRORS
) -> Callable[[Source], dict[str, np.ndarray]]:
    """What `sample_errors` averages, as a function of K numbers for the factors, D for the noise, K for the code.

    Of the errors only those that are asked for by `names` are computed.
    """
    mean = truth.mean if vae.mean is None else vae.mean
    posterior_root = np.linalg.cholesky(vae.posterior_covariance)

    def values(source: Source) -> dict[str, np.ndarray]:
        factors, data = _factors_and_data(truth, source)
        posterior_means = (data - mean) @ vae.encoder.T
        code_noise = source(vae.latent_dim)  # also where no code is needed, as a source has its order
        missed, found = factors - posterior_means, {}
        if "mean_squared_error" in names:
            found["mean_squared_error"] = row_squares(missed)
        if "log_score" in names or "forward_kl" in names:
            log_score = log_density(missed, posterior_root)
        if "log_score" in names:
            found["log_score"] = log_score
        if "forward_kl" in names or "reverse_kl" in names:
            log_true_posterior = _log_true_posterior(truth, data)
        if "forward_kl" in names:
            found["forward_kl"] = log_true_posterior(factors) - log_score
        if "reverse_kl" in names:
            codes = posterior_means + code_noise @ square_root(vae.posterior_covariance).T
            found["reverse_kl"] = log_density(codes - posterior_means, posterior_root) - log_true_posterior(codes)
        return found

    return values


def sample_elbo_terms(vae: LinearVAE, covariance, n: int, rng: np.random.Generator | int) -> dict[str, Estimate]:
    """Every part of the objective, from n draws of Gaussian data and of their codes z ~ q(z|x).

        distortion           |x - m - W z|^2
        rate                 log q(z|x) - log p(z)
        mutual_information   log q(z|x) - log q(z)
        total_correlation    log q(z) - sum_j log q(z_j)
        dimension_wise_kl    sum_j log q(z_j) - log p(z_j)
        aggregate_kl         log q(z) - log p(z)
        reconstruction       -log p(x|z)

    Parameters
    ----------
    vae : LinearVAE
    covariance : (D, D) array, or Moments
        of the data, positive semi-definite.
    n : int, from 2 to 10^9
    rng : numpy.random.Generator, or a seed

    Returns
    -------
    dict of Estimate, by the names of `theory.ElboTerms`

    Raises
    ------
    ValueError
        if the covariance is not a covariance matrix or does not fit the VAE, or n < 2.
    """
    vae, moments = linear_vae("vae", vae), as_moments(covariance)
    n, rng = _draws(n), validation.random_generator("rng", rng)
    data_covariance = validation.covariance_matrix("covariance", moments.covariance, vae.data_dim)
    with np.errstate(over="ignore", invalid="ignore"):
        _check_size(np.sum(vae.encoder @ square_root(data_covariance)), "covariance and vae")
    values = elbo_values(vae, data_covariance, mean_offset(vae, covariance))
    return _estimates(values, n, rng, 2 * vae.data_dim + 2 * vae.latent_dim, "covariance and vae")


def elbo_values(
    vae: LinearVAE, covariance: np.ndarray, offset: np.ndarray, prior: np.ndarray | None = None
) -> Callable[[Source], dict[str, np.ndarray]]:
    """What `sample_elbo_terms` averages, as a function of D numbers for the data and K for the noise of the code.

    `offset` is the mean of the data less that of the model, `prior` the covariance of p(z), by default I.
    """
    data_root, noise_root = square_root(covariance), np.sqrt(vae.noise_variance) * np.eye(vae.data_dim)
    posterior_root, code_noise_root = (
        np.linalg.cholesky(vae.posterior_covariance),
        square_root(vae.posterior_covariance),
    )
    code_root, code_mean = triangle(vae.encoder @ data_root, posterior_root), vae.encoder @ offset
    prior_root = np.eye(vae.latent_dim) if prior is None else np.linalg.cholesky(prior)

    def values(source: Source) -> dict[str, np.ndarray]:
        data = offset + source(vae.data_dim) @ data_root.T
        code_noise = source(vae.latent_dim) @ code_noise_root.T
        codes = data @ vae.encoder.T + code_noise
        residuals = data - codes @ vae.decoder.T
        conditional = log_density(code_noise, posterior_root)
        aggregate = log_density(codes - code_mean, code_root)
        marginals = sum(
            log_density(codes[:, [j]] - code_mean[j], np.linalg.norm(code_root[j]).reshape(1, 1))
            for j in range(vae.latent_dim)
        )
        log_prior = log_density(codes, prior_root)
        return {
            "distortion": row_squares(residuals),
            "rate": conditional - log_prior,
            "mutual_information": conditional - aggregate,
            "total_correlation": aggregate - marginals,
            "dimension_wise_kl": marginals - log_prior,
            "aggregate_kl": aggregate - log_prior,
            "reconstruction": -log_density(residuals, noise_root),
        }

    return values


def true_log_posterior_values(truth: GenerativeModel) -> Callable[[Source], dict[str, np.ndarray]]:
    """log p(s|x) at the true factors, the part of the forward KL that no encoder changes; as `error_values`."""

    def values(source: Source) -> dict[str, np.ndarray]:
        factors, data = _factors_and_data(truth, source)
        return {"log_posterior": _log_true_posterior(truth, data)(factors)}

    return values


def _factors_and_data(truth: GenerativeModel, source: Source) -> tuple[np.ndarray, np.ndarray]:
    factors = source(truth.latent_dim) @ truth.factor_root.T
    return factors, factors @ truth.loading.T + truth.mean + np.sqrt(truth.noise_variance) * source(truth.data_dim)


def _log_true_posterior(truth: GenerativeModel, data: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """log p(s|x) by Bayes' rule, as a function of s: log p(x), which does not depend on s, is computed once.

    Without noise the loading is zero here, and the data carry no information.
    """
    prior_root = np.linalg.cholesky(truth.factor_covariance)
    if truth.noise_variance == 0:
        return lambda factors: log_density(factors, prior_root)
    centred, noise_root = data - truth.mean, np.sqrt(truth.noise_variance) * np.eye(truth.data_dim)
    evidence = log_density(centred, triangle(truth.loading @ truth.factor_root, noise_root))

    def values(factors: np.ndarray) -> np.ndarray:
        likelihood = log_density(centred - factors @ truth.loading.T, noise_root)
        return log_density(factors, prior_root) + likelihood - evidence

    return values


def _draws(n: int) -> int:
    return validation.count("n", n, minimum=2, maximum=MOST_DRAWS)  # one has no standard error


def _estimates(
    values_of: Callable[[Source], dict[str, np.ndarray]], n: int, rng: np.random.Generator, width: int, arguments: str
) -> dict[str, Estimate]:
    """Mean and standard error of n draws taken in chunks; chunks are merged by their means and squared deviations."""
    rows = max(1, CHUNK // max(1, width))
    done, means, squares = 0, {}, {}
    while done < n:
        count = min(rows, n - done)
        with np.errstate(over="ignore", invalid="ignore"):
            values = values_of(lambda size, count=count: rng.standard_normal((count, size)))
            spreads = {name: np.sum((x - x.mean()) ** 2) for name, x in values.items()}
        _check_size(sum(spreads.values()), arguments)
        for name, each in values.items():
            mean = each.mean()
            shift = mean - means.get(name, 0.0)
            squares[name] = squares.get(name, 0.0) + spreads[name]
            squares[name] += shift**2 * done * count / (done + count)
            means[name] = means.get(name, 0.0) + shift * count / (done + count)
        done += count
    return {name: Estimate(float(means[name]), float(np.sqrt(squares[name] / (n - 1) / n)), n) for name in means}


def _check_size(total: float, arguments: str) -> None:
    if not np.isfinite(total):
        raise ValueError(
            f"{arguments} must have sizes whose fourth powers do not overflow; change the unit of the data"
        )
