"""Training with other priors: its gradient, the cases that have a closed form, and what priors do to the axes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import t as student

from numerics.priors.mixture_code import (
    PriorPlane,
    code_components,
    divergence_and_slopes,
    log_prior_and_slopes,
    sample_code,
    sample_hoyer_sparsity,
)
from numerics.priors.problem import prior_problem
from numerics.priors.training import reached, train_with_prior
from theory import LinearVAE, elbo_terms, optimum
from theory.priors import ClusterPrior, GaussianPrior, SpikeSlabPrior, StudentPrior
from theory.priors.aggregate import aggregate_divergence
from theory.priors.optimum import prior_optimum
from theory.priors.regularised import regularised_encoder
from theory.scores.sparsity import hoyer_chance_level

LOADING = np.array([[1.2, 0.3], [0.0, 0.8], [0.5, -0.72]])  # orthogonal columns
OBLIQUE = np.array([[1.0, 0.3], [0.0, 1.2], [0.5, -0.2]])
NOISE = 0.05
ROUND, LONG = GaussianPrior.isotropic(2), GaussianPrior.anisotropic([1.5, 0.6])
SPARSE, CLUSTERS, STUDENT = SpikeSlabPrior(2, 0.8, 0.25), ClusterPrior(), StudentPrior(2.0, 2)
SKEW = np.array([[1.0, 0.2], [0.3, 0.8], [0.1, -0.4]])


def covariance(loading=LOADING):
    return loading @ loading.T + NOISE * np.eye(3)


def trained(factors, prior, *, loading=LOADING, beta=1.0, seed=0, **options):
    rng = np.random.default_rng(seed)
    return train_with_prior(factors, loading, NOISE, prior, beta=beta, noise_variance=NOISE, rng=rng, **options)


def turn(run, loading=LOADING):
    left, _, right = np.linalg.svd(run.vae.encoder @ loading)
    nearest = left @ right
    return (np.degrees(np.arctan2(nearest[1, 0], nearest[0, 0])) + 45) % 90 - 45


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize(
    ("factors", "prior", "alpha", "posterior"),
    [
        (SPARSE, CLUSTERS, 0.7, "full"),
        (CLUSTERS, SPARSE, 1.3, "diagonal"),
        (CLUSTERS, LONG, 0.0, "full"),
        (ROUND, STUDENT, 0.0, "full"),
        (ROUND, StudentPrior(5.0, 2), 0.4, "full"),
        (SPARSE, StudentPrior(5.0, 2), 0.4, "full"),
    ],
)
def test_the_gradient_is_that_of_the_loss(factors, prior, alpha, posterior, fixed):
    decoder = LOADING + 0.1 if fixed else None
    problem = prior_problem(factors, OBLIQUE, 0.1, prior, 1.3, 0.2, alpha, posterior, decoder)
    rng = np.random.default_rng(2)
    theta = problem.start(rng)
    theta += 0.1 * rng.standard_normal(theta.size)
    value, gradient = problem.value_and_gradient(theta)
    numeric = approx_fprime(theta, lambda x: problem.value_and_gradient(x)[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, atol=5e-6 * np.abs(gradient).max())
    run = reached(problem, theta, 1e-6)
    parts = run.reconstruction + 1.3 * run.rate + (alpha * run.divergence if alpha else 0)
    assert value == pytest.approx(parts, abs=1e-10)


@pytest.mark.parametrize("posterior", ["full", "diagonal"])
def test_with_the_usual_prior_it_is_the_usual_optimum(posterior):
    run = trained(ROUND, ROUND, posterior=posterior, beta=1.4)
    best = optimum(covariance(), 2, beta=1.4, noise_variance=NOISE, posterior=posterior)
    assert run.stopped == "gradient"
    assert run.loss == pytest.approx(best.loss, abs=1e-9)
    terms = elbo_terms(run.vae, covariance())
    for part in ("distortion", "reconstruction", "rate"):
        assert getattr(run, part) == pytest.approx(getattr(terms, part), abs=1e-9)
    assert run.mutual_information == pytest.approx(terms.mutual_information, abs=1e-8)
    code = run.vae.encoder @ covariance() @ run.vae.encoder.T + run.vae.posterior_covariance
    assert run.divergence == pytest.approx(aggregate_divergence((code + code.T) / 2), abs=1e-8)


@pytest.mark.parametrize("prior", [ROUND, LONG, STUDENT, SPARSE, CLUSTERS], ids=lambda prior: type(prior).__name__)
def test_no_prior_locks_the_axes_of_gaussian_data(prior):
    best = prior_optimum(covariance(OBLIQUE), prior, beta=1.0, noise_variance=NOISE)
    runs = [trained(ROUND, prior, loading=OBLIQUE, seed=seed) for seed in range(4)]
    for run in runs:
        assert run.loss == pytest.approx(best.loss, abs=1e-9)
        assert run.distortion == pytest.approx(best.distortion, abs=1e-5)
        assert run.rate == pytest.approx(best.rate, abs=1e-4)
    assert np.ptp([turn(run, OBLIQUE) for run in runs]) > 10


def test_sharp_spikes_have_a_second_optimum_of_gaussian_data():
    """Codes of order one settle in the slab, 2 nats above the optimum inside the spike."""
    best = prior_optimum(covariance(), SpikeSlabPrior(2), beta=1.0, noise_variance=NOISE)
    run = trained(ROUND, SpikeSlabPrior(2))
    assert run.stopped == "gradient" and run.loss - best.loss == pytest.approx(1.997, abs=1e-3)
    scale = np.sqrt(best.aggregate[0, 0])
    inside = train_with_prior(
        ROUND, LOADING, NOISE, SpikeSlabPrior(2), beta=1.0, noise_variance=NOISE, start=best.vae,
    )  # fmt: skip
    assert inside.loss == pytest.approx(best.loss, abs=1e-6) and scale < 0.06


@pytest.mark.parametrize(("factors", "prior"), [(SPARSE, SPARSE), (SPARSE, STUDENT), (CLUSTERS, CLUSTERS)])
def test_a_prior_locks_the_axes_of_other_factors(factors, prior):
    runs = [trained(factors, prior, seed=seed) for seed in (0, 2, 4)]
    assert np.abs([turn(run) for run in runs]).max() < 1e-3
    assert np.ptp([run.loss for run in runs]) < 1e-8


def test_a_round_prior_does_not_lock_them():
    runs = [trained(SPARSE, ROUND, seed=seed) for seed in range(4)]
    assert np.ptp([run.loss for run in runs]) < 1e-9 and np.ptp([turn(run) for run in runs]) > 10


def test_alpha_with_a_fixed_decoder_agrees_with_theory():
    decoder = LOADING @ np.array([[0.9, 0.3], [0.1, 0.7]])
    for alpha in (0.0, 5.0):
        run = trained(ROUND, ROUND, decoder=decoder, alpha=alpha)
        exact = regularised_encoder(decoder, covariance(), NOISE, 1.0, alpha, posterior="full")
        assert run.loss == pytest.approx(exact.loss, abs=1e-9)
        np.testing.assert_array_equal(run.vae.decoder, decoder)
        assert run.divergence == pytest.approx(exact.terms.divergence, abs=1e-5)  # where the search stops


def test_alpha_brings_the_code_to_the_prior():
    path = [trained(CLUSTERS, CLUSTERS, beta=3.0)]
    path.append(trained(CLUSTERS, CLUSTERS, beta=3.0, alpha=10.0, start=path[0].vae))
    assert path[1].divergence < 0.9 * path[0].divergence and path[1].distortion < path[0].distortion
    fresh = trained(CLUSTERS, CLUSTERS, beta=3.0, alpha=10.0)
    assert fresh.loss == pytest.approx(path[1].loss, abs=1e-6)


@pytest.mark.parametrize("variance", [1e-2, 1e-4, 1e-5, 1e-10, 1e8])
def test_narrow_and_wide_priors_have_the_loss_of_any_gaussian_prior(variance):
    """The theorem: the loss does not depend on the prior's covariance. (Nodes that miss a narrow code: -9597.9.)"""
    prior = GaussianPrior.anisotropic([1.0, variance])
    run = train_with_prior(ROUND, SKEW, 0.1, prior, beta=1.0, noise_variance=0.1)
    best = prior_optimum(SKEW @ SKEW.T + 0.1 * np.eye(3), prior, beta=1.0, noise_variance=0.1)
    assert best.loss == pytest.approx(3.0892614573, abs=1e-9)
    assert run.stopped == "gradient" and run.loss == pytest.approx(best.loss, abs=1e-9)
    assert run.rate == pytest.approx(best.rate, abs=1e-6) and run.divergence < 1e-9


@pytest.mark.parametrize(
    "prior",
    [
        SpikeSlabPrior(2, 0.5, 1e-4),
        SpikeSlabPrior(2, 0.3, 1e-3),
        ClusterPrior(1e-5, 1e4),
        ClusterPrior(1e5, 1e9),
        StudentPrior(0.1, 2),
        StudentPrior(1e15, 2),
    ],
    ids=str,
)
def test_priors_of_any_scale(prior):
    """A local minimum of the loss is one of KL(N(0, C) || p), and with these priors all of those are global."""
    run = train_with_prior(ROUND, SKEW, 0.1, prior, beta=1.0, noise_variance=0.1)
    best = prior_optimum(SKEW @ SKEW.T + 0.1 * np.eye(3), prior, beta=1.0, noise_variance=0.1)
    assert run.stopped == "gradient" and run.loss == pytest.approx(best.loss, rel=1e-10)


def test_the_rate_of_a_narrow_code_and_a_spike():
    """E log p of N(0, diag(1e-5, 1)) under spike and slab, by a sum over the two latents in fine steps of each."""
    code = np.ones(1), np.zeros((1, 2)), np.diag([1e-5, 1.0])[np.newaxis]
    away = np.linspace(-12, 12, 200_001)
    masses = np.exp(-(away**2) / 2) * (away[1] - away[0]) / np.sqrt(2 * np.pi)
    exact = sum(masses @ SpikeSlabPrior(1).marginal_log_density(scale * away) for scale in (np.sqrt(1e-5), 1.0))
    assert log_prior_and_slopes(SpikeSlabPrior(2), code)[0] == pytest.approx(exact, rel=1e-11)


@pytest.mark.parametrize(
    ("prior", "divergence"),
    [
        (GaussianPrior.isotropic(2, 4.0), 3 - np.log(4)),
        (GaussianPrior.anisotropic([9.0, 1.0]), 4 - np.log(9) / 2),
        # H[p] is that of scipy.stats.t; of the clusters, which are far apart, log 4 + log(2 pi e v).
        *(
            (StudentPrior(nu, 2), np.log(2 * np.pi) + nu / (nu - 2) - 2 * student(nu).entropy())
            for nu in (9, 5, 3, 2.5)
        ),
        (ClusterPrior(4.0, 0.03), np.log(2 * np.pi) + 8.03 - np.log(4) - np.log(2 * np.pi * np.e * 0.03)),
        (ClusterPrior(1e5, 1e-8), np.log(2 * np.pi) + 5e9 - np.log(4) - np.log(2 * np.pi * np.e * 1e-8)),
        (SpikeSlabPrior(2, 0.5, 1e-9), np.log(2 * np.pi) + 0.5 - 2 * np.log(2) - np.log(2 * np.pi * np.e * 1e-9)),
    ],
    ids=str,
)
def test_the_divergence_of_the_prior_from_a_normal_code(prior, divergence):
    """KL(p || N(0, I)) = log 2 pi + tr Cov[p] / 2 - H[p], all of which a square [-5, 5]^2 does not hold."""
    found = divergence_and_slopes(PriorPlane.of(prior), (np.ones(1), np.zeros((1, 2)), np.eye(2)[np.newaxis]))[0]
    # Spike and slab are apart but for the part of the slab in the spike, some 1e-9.
    assert found == pytest.approx(divergence, rel=1e-9, abs=1e-6 if isinstance(prior, SpikeSlabPrior) else 1e-9)


def test_a_prior_without_variance_is_infinitely_far():
    run = trained(ROUND, STUDENT)
    assert run.divergence == np.inf
    with pytest.raises(ValueError, match="alpha must be 0 unless nodes can represent the variance"):
        trained(ROUND, STUDENT, alpha=0.5)


def test_what_the_nodes_do_not_resolve_is_named():
    """A code with oblique spikes of deviation 1e-4 under a round prior: few of the nodes see them."""
    still = LinearVAE(SKEW, 0.5 * SKEW.T, 1e-8 * np.eye(2), NOISE)
    spikes = SpikeSlabPrior(2, 0.8, 1e-3)
    options = {"beta": 1.0, "noise_variance": NOISE, "start": still, "max_steps": 0}
    for alpha, stopped in ((0.0, "max_steps"), (1.0, "unresolved")):
        run = train_with_prior(spikes, SKEW, 0.0, ROUND, alpha=alpha, **options)
        assert np.isnan(run.divergence) and run.stopped == stopped


def test_data_and_priors_in_other_units():
    """Data 1e8 times as large and a prior 1e-6 times as wide: the same run, in those units."""
    plain = train_with_prior(SPARSE, SKEW, 0.1, ROUND, beta=1.0, noise_variance=0.1)
    prior = GaussianPrior.isotropic(2, 1e-12)
    other = train_with_prior(SPARSE, 1e8 * SKEW, 1e15, prior, beta=1.0, noise_variance=1e15)
    assert other.stopped == "gradient"
    assert other.rate == pytest.approx(plain.rate, abs=1e-5)
    assert other.loss - 3 * np.log(1e8) == pytest.approx(plain.loss, abs=1e-9)


class Own:
    """A prior of a user's own, N(0, 2 I), by the three members of the protocol."""

    latent_dim = 2

    def log_density(self, latents):
        return -np.sum(latents**2, axis=-1) / 4 - np.log(4 * np.pi)

    def expected_log_density(self, mean, covariance):
        return float(-(mean @ mean + np.trace(covariance)) / 4 - np.log(4 * np.pi))


def test_a_prior_of_another_class():
    run, same = trained(SPARSE, Own()), trained(SPARSE, GaussianPrior.isotropic(2, 2.0))
    assert run.loss == pytest.approx(same.loss, abs=1e-8)
    assert np.isnan(run.divergence)
    with pytest.raises(
        ValueError, match=r"alpha must be 0 for a prior without the method nodes\(count\), got alpha 1\.0 and Own"
    ):
        trained(SPARSE, Own(), alpha=1.0)


def test_grid_against_draws():
    run = trained(SPARSE, CLUSTERS, loading=OBLIQUE)
    rng, count = np.random.default_rng(5), 200_000
    codes = sample_code(run.vae, SPARSE, OBLIQUE, NOISE, count, rng)
    weights, means, covariances = code_components(run.vae, SPARSE, OBLIQUE, NOISE)
    total = np.einsum("c,ckl->kl", weights, covariances) + (means * weights[:, None]).T @ means
    np.testing.assert_allclose(np.cov(codes, rowvar=False), total, atol=0.02 * np.trace(total))

    def log_q(points):
        density = 0
        for weight, mean, spread in zip(weights, means, covariances, strict=True):
            away = points - mean
            squares = np.sum(away * np.linalg.solve(spread, away.T).T, axis=1)
            density = density + weight * np.exp(-squares / 2) / (2 * np.pi * np.sqrt(np.linalg.det(spread)))
        return np.log(density)

    def agrees(draws, value):
        return abs(draws.mean() - value) < 4.5 * draws.std() / np.sqrt(len(draws))

    from theory.gaussian import entropy

    conditional = entropy(run.vae.posterior_covariance)
    assert agrees(-CLUSTERS.log_density(codes) - conditional, run.rate)
    assert agrees(-log_q(codes) - conditional, run.mutual_information)
    latents = CLUSTERS.sample(count, rng)
    assert agrees(CLUSTERS.log_density(latents) - log_q(latents), run.divergence)


def test_sparsity_of_draws():
    rng = np.random.default_rng(6)
    for latent_dim in (2, 50):
        level = sample_hoyer_sparsity(rng.standard_normal((50_000, latent_dim)) * np.arange(1, latent_dim + 1))
        assert level == pytest.approx(hoyer_chance_level(latent_dim), abs=0.005)
    assert sample_hoyer_sparsity(np.array([[1.0, 0.0], [0.0, 3.0]] * 5)) == pytest.approx(1)
    assert sample_hoyer_sparsity(np.array([[1.0, 2.0], [-1.0, -2.0]] * 5)) == pytest.approx(0, abs=1e-12)


def test_more_latents_without_alpha():
    three = GaussianPrior.isotropic(3)
    loading = np.linalg.qr(np.random.default_rng(7).standard_normal((4, 3)))[0] * [1.5, 1.0, 0.7]
    run = train_with_prior(three, loading, NOISE, StudentPrior(4.0, 3), beta=1.0, noise_variance=NOISE)
    total = loading @ loading.T + NOISE * np.eye(4)
    best = prior_optimum(total, StudentPrior(4.0, 3), beta=1.0, noise_variance=NOISE)
    assert run.loss == pytest.approx(best.loss, abs=1e-9)
    assert np.isnan(run.divergence) and np.isnan(run.mutual_information)


def test_ends_that_are_not_minima_are_told():
    assert trained(SPARSE, SPARSE, max_steps=2).stopped == "max_steps"
    start = trained(SPARSE, SPARSE, max_steps=3).vae
    kept = trained(SPARSE, SPARSE, start=start, max_steps=0)
    assert kept.stopped == "max_steps" and kept.gradient_norm > 1e-3
    np.testing.assert_allclose(kept.vae.encoder, start.encoder, rtol=1e-14)
    assert trained(SPARSE, SPARSE, gradient_tolerance=1e-300).stopped == "stalled"  # rounding ends the descent
    # A code far out is nowhere outside: its rate under the slab is that of a Gaussian prior and log 5 a latent.
    far = optimum(covariance(), 2, beta=1.0, noise_variance=NOISE).vae
    away = type(far)(far.decoder, 1e6 * far.encoder, far.posterior_covariance, far.noise_variance)
    rates = [trained(ROUND, prior, start=away, max_steps=0).rate for prior in (SPARSE, ROUND)]
    assert rates[0] == pytest.approx(rates[1] + 2 * np.log(5), rel=1e-12)


def test_misuse():
    with pytest.raises(ValueError, match="factors must be a finite mixture of Gaussians, got StudentPrior"):
        trained(STUDENT, ROUND)
    with pytest.raises(ValueError, match="alpha must be 0 unless there are two latents"):
        train_with_prior(ROUND, LOADING, NOISE, StudentPrior(4.0, 3), beta=1.0, noise_variance=1.0, alpha=1.0)
    with pytest.raises(ValueError, match="loading must have a column for each of the 2 factors"):
        trained(ROUND, ROUND, loading=np.ones((3, 3)))
    with pytest.raises(ValueError, match="beta"):
        trained(ROUND, ROUND, beta=0.0)
    for steps in (np.nan, -5, 2.5, 10**12, None):
        with pytest.raises(ValueError, match="max_steps must be"):
            trained(ROUND, ROUND, max_steps=steps)
    with pytest.raises(ValueError, match="prior must be a prior, got NoneType, which lacks latent_dim"):
        trained(ROUND, None)
    start = optimum(covariance(), 1, beta=1.0, noise_variance=NOISE).vae
    with pytest.raises(ValueError, match="start must have a 3 x 2 decoder, got 3 x 1"):
        trained(ROUND, ROUND, start=start)
    far = LinearVAE(1e-50 * LOADING, 1e60 * LOADING.T, 1e100 * np.eye(2), NOISE)
    with pytest.raises(ValueError, match="too far apart in size"):
        trained(ROUND, GaussianPrior.isotropic(2, 1e100), start=far)
    for scale in (1e-32, 1e32):  # the optimum has a decoder, or an encoder, beyond 1e50, which no one has passed
        prior, options = GaussianPrior.isotropic(2, scale**2), {"beta": 1.0, "noise_variance": NOISE / scale**2}
        with pytest.raises(ValueError, match="too far apart in size"):
            train_with_prior(ROUND, LOADING / scale, NOISE / scale**2, prior, **options)
