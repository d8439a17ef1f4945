"""The audit: exact for linear VAEs, part by part; and the regimes, scores and refusals of any codes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from numerics import Codes, audit
from numerics.sampling.scores import sample_scores
from tests.cases import orthogonal
from theory import LinearVAE, Moments, axes, elbo_terms, optimum

EIGENVALUES = np.array([4.0, 2.0, 0.9, 0.45, 0.2])
BETA, NOISE = 1.5, 0.2
LEVEL = BETA * NOISE
BASIS = orthogonal(5, np.random.default_rng(5))


def observations(count=500, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 5)) * np.sqrt(EIGENVALUES) @ BASIS.T + 3.0


def codes_of(vae, data, draws=None):
    """Codes of a linear VAE; their squared error is the expected one, or that of draws of the codes."""
    mean = (data - vae.mean) @ vae.encoder.T
    variance = np.tile(np.diagonal(vae.posterior_covariance), (len(data), 1))
    residual = data - vae.mean - mean @ vae.decoder.T
    if draws is None:
        return Codes(
            mean, variance, squared_error=(residual**2).sum(axis=1) + (variance @ vae.decoder.T**2).sum(axis=1)
        )
    return Codes(mean, variance, reconstruction=vae.mean + (mean + draws * np.sqrt(variance)) @ vae.decoder.T)


def best_vae(data, latent_dim=4):
    return optimum(Moments.of(data), latent_dim, beta=BETA, noise_variance=NOISE)


def test_the_codes_of_the_linear_optimum_lose_nothing():
    data = observations()
    best = best_vae(data)
    found = audit(codes_of(best.vae, data), data=data, water_level=LEVEL)
    linear = found.linear_optimum
    assert found.rate == pytest.approx(best.rate, rel=1e-12)
    assert found.distortion == pytest.approx(best.distortion, rel=1e-12)
    assert found.active_count == linear.active_count == best.active_count
    assert (linear.rate, linear.distortion) == pytest.approx((best.rate, best.distortion), rel=1e-12)
    for excess in (linear.excess_rate, linear.excess_distortion, linear.excess_nats, linear.standard_error):
        assert excess == pytest.approx(0, abs=1e-12)
    eigenvalues = np.linalg.eigvalsh(np.cov(data.T, bias=True))[::-1][:4]
    expected = np.sqrt(np.maximum(1 - LEVEL / eigenvalues, 0))
    np.testing.assert_allclose(linear.attenuation, expected, atol=1e-12)
    np.testing.assert_allclose(found.latents.attenuation, expected, atol=1e-12)


def test_drawn_reconstructions_lose_nothing_beyond_chance():
    data = observations(4000)
    draws = np.random.default_rng(1).standard_normal((4000, 4))
    linear = audit(codes_of(best_vae(data).vae, data, draws), data=data, water_level=LEVEL).linear_optimum
    assert 0 < linear.standard_error < 0.05
    assert abs(linear.excess_nats) < 4 * linear.standard_error


def test_what_a_worse_linear_vae_loses_is_the_difference_of_the_losses():
    data = observations()
    best = best_vae(data)
    rotation = np.linalg.qr(np.random.default_rng(2).standard_normal((4, 4)))[0]
    worse = LinearVAE(
        best.vae.decoder @ rotation, 0.9 * rotation.T @ best.vae.encoder, np.diag([0.1, 0.3, 0.2, 0.9]), NOISE, data[0]
    )
    terms, found = elbo_terms(worse, Moments.of(data)), audit(codes_of(worse, data), data=data, water_level=LEVEL)
    assert (found.rate, found.distortion) == pytest.approx((terms.rate, terms.distortion), rel=1e-12)
    lost = (terms.loss(BETA) - best.loss) / BETA
    assert lost > 0.1 and found.linear_optimum.excess_nats == pytest.approx(lost, rel=1e-11)
    assert found.linear_optimum.excess_rate == pytest.approx(terms.rate - best.rate, rel=1e-12)


def test_a_standard_error_is_that_of_many_data_sets():
    population = optimum(np.diag(EIGENVALUES), 3, noise_variance=LEVEL).vae
    vae = LinearVAE(population.decoder, 0.7 * population.encoder, population.posterior_covariance, 1.0, np.zeros(5))
    rates, losses = [], []
    for seed in range(200):
        data = np.random.default_rng(seed).standard_normal((150, 5)) * np.sqrt(EIGENVALUES)
        found = audit(codes_of(vae, data), data=data, water_level=LEVEL)
        rates.append((found.rate, found.rate_standard_error))
        losses.append((found.linear_optimum.excess_nats, found.linear_optimum.standard_error))
    for pairs in map(np.array, (rates, losses)):
        assert pairs[:, 1].mean() == pytest.approx(pairs[:, 0].std(), rel=0.2)


def test_latents_of_a_linear_vae_are_those_of_the_theory():
    data = observations()
    vae, moments = best_vae(data, 5).vae, Moments.of(data)
    found, activity, polarized = (
        audit(codes_of(vae, data)),
        axes.latent_activity(vae, moments),
        axes.polarized_kl(vae, moments),
    )
    np.testing.assert_allclose(found.latents.mean_variance, activity.mean_variance, atol=1e-12)
    np.testing.assert_allclose(found.latents.attenuation**2, activity.order_parameter, atol=1e-12)
    np.testing.assert_array_equal(found.latents.active, activity.active)
    assert vars(found.polarized) == pytest.approx(vars(polarized), rel=1e-11)
    assert found.latents.kl.sum() == pytest.approx(found.rate, rel=1e-14)


def test_a_latent_has_collapsed_as_often_as_the_theory_says():
    data = observations(20_000)
    weak = optimum(np.diag(EIGENVALUES), 5, noise_variance=0.42).vae  # the fourth mode is just above
    weak = LinearVAE(BASIS @ weak.decoder, weak.encoder @ BASIS.T, weak.posterior_covariance, 1.0, np.full(5, 3.0))
    chance = axes.collapse_probability(weak, (BASIS * EIGENVALUES) @ BASIS.T, 0.01)
    found = audit(codes_of(weak, data)).latents
    assert 0.1 < chance[3] < 0.9
    errors = np.sqrt(chance * (1 - chance) / 20_000)
    assert np.all(np.abs(found.collapsed_share - chance) <= 5 * errors + 1e-12)
    assert found.regime == ("active", "active", "active", "mixed", "passive")


def test_the_attenuation_is_the_correlation_of_mean_and_sampled_codes():
    rng = np.random.default_rng(3)
    mean = np.tile(rng.standard_normal((50, 2)) * [1.0, 0.2], (2000, 1))
    variance = np.tile(rng.uniform(0.05, 1.0, (50, 2)), (2000, 1))  # depends on x
    codes = Codes(mean, variance)
    draws = codes.sample(rng)
    for latent in range(2):
        correlation = np.corrcoef(mean[:, latent], draws[:, latent])[0, 1]
        assert audit(codes).latents.attenuation[latent] == pytest.approx(correlation, abs=4 / np.sqrt(1e5))


def test_regimes():
    """Informative; equal to the prior; informative at some observations; a shift that costs and says nothing."""
    rng, off = np.random.default_rng(4), np.arange(200) % 2 == 0
    mean = np.column_stack(
        [rng.standard_normal(200), np.zeros(200), np.where(off, 0, rng.standard_normal(200)), np.full(200, 2.0)]
    )
    variance = np.column_stack([np.full(200, 0.05), np.ones(200), np.where(off, 1.0, 0.1), np.full(200, 0.5)])
    found = audit(Codes(mean, variance))
    assert found.latents.regime == ("active", "passive", "mixed", "constant")
    assert found.latents.active.tolist() == [True, False, True, False] and found.active_count == 2
    assert found.latents.collapsed_share[2] == pytest.approx(0.5)
    assert found.latents.attenuation[[1, 3]].tolist() == [0.0, 0.0]
    assert audit(Codes(mean, variance), threshold=0.7).active_count == int(np.sum(mean.var(axis=0) > 0.7))


def test_regimes_at_their_limits():
    shares, rng = np.array([0.0, 0.05, 0.06, 0.94, 0.95]), np.random.default_rng(4)
    collapsed = np.arange(100)[:, np.newaxis] < 100 * shares
    mean = np.where(collapsed, 0.0, 1.0 + rng.uniform(size=(100, 5)))
    found = audit(Codes(mean, np.where(collapsed, 1.0, 0.1))).latents
    np.testing.assert_allclose(found.collapsed_share, shares)
    assert found.regime == ("active", "active", "mixed", "mixed", "passive")
    # A mean code that is constant is still informative by its variance.
    assert audit(Codes(np.full((100, 1), 2.0), rng.uniform(0.1, 0.9, (100, 1)))).latents.regime == ("active",)


def test_all_latents_passive():
    found = audit(
        Codes(np.zeros((20, 2)), np.ones((20, 2))), data=observations(20), water_level=100.0, decoder=np.ones((5, 2))
    )
    assert (found.rate, found.active_count, found.orthogonality.distance) == (0.0, 0, 0.0)
    assert found.linear_optimum.active_count == 0 and found.linear_optimum.excess_rate == 0.0
    assert np.isnan(found.polarized.relative_error)


def test_one_latent_and_two_observations():
    found = audit(
        Codes([[1.0], [-1.0]], [[0.5], [0.5]], squared_error=[0.0, 0.0]), data=[[1.0], [-1.0]], water_level=0.5
    )
    assert found.total_correlation.plug_in == pytest.approx(0, abs=1e-12)
    assert found.latents.regime == ("active",) and found.linear_optimum.rate == pytest.approx(np.log(2) / 2)


def test_the_distance_to_orthogonality_is_on_active_latents_and_averaged_over_jacobians():
    rng = np.random.default_rng(6)
    decoders = rng.standard_normal((4, 5, 3))
    mean = rng.standard_normal((30, 3)) * [1.0, 0.01, 1.0]
    codes = Codes(mean, np.full((30, 3), 0.1))
    expected = [axes.distance_to_orthogonality(decoder, active=[True, False, True]).distance for decoder in decoders]
    assert audit(codes, decoder=decoders).orthogonality.distance == pytest.approx(np.mean(expected))
    single = audit(codes, decoder=decoders[0]).orthogonality
    assert single.distance == pytest.approx(expected[0])
    assert single.chance == axes.orthogonality_chance_level(2).mean


def test_scores_are_those_of_mean_and_of_sampled_codes():
    data = observations(1500)
    factors = (data - 3.0) @ BASIS[:, :2]
    codes = codes_of(best_vae(data).vae, data)
    scores = audit(codes, factors=factors).scores
    assert scores["mean"] == sample_scores(factors, codes.mean)
    # A factor is an axis here: its correlation with the mean code is 1, with the sampled code the attenuation.
    assert scores["mean"].mean_correlation == pytest.approx(1, abs=0.01)
    expected = audit(codes).latents.attenuation[:2].mean()
    assert scores["sampled"].mean_correlation == pytest.approx(expected, abs=0.02)


def test_the_same_seed_gives_the_same_audit():
    codes = codes_of(best_vae(observations()).vae, observations())
    first, again, other = (audit(codes, rng=rng).mutual_information for rng in (1, np.random.default_rng(1), 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"codes": np.zeros((3, 2))}, "codes must be a Codes"),
        ({"data": observations(7)}, "data must have one row for each of the 500 codes, got 7"),
        ({"factors": observations(7)}, "factors must have one row for each of the 500 codes, got 7"),
        ({"data": observations()[:, :3]}, "data must have the 5 columns of reconstruction, got 3"),
        ({"data": np.full((500, 5), np.nan)}, "data must be finite, row 0, column 0"),
        ({"decoder": np.ones((4, 5))}, "decoder must be 4 x 4 (data dimensions x latents)"),
        ({"decoder": np.ones((3, 4)), "data": observations()}, "decoder must be 5 x 4"),
        ({"decoder": np.full((5, 4), np.nan)}, "decoder must be finite"),
        ({"decoder": np.ones((2, 5, 3))}, "decoder must be 5 x 4"),
        ({"decoder": np.full((1, 5, 4), np.inf)}, "decoder must be finite"),
        ({"water_level": 0.5}, "data must be given with water_level"),
        ({"water_level": 0.0, "data": observations()}, "water_level must be > 0"),
        ({"threshold": -1.0}, "threshold must be >= 0"),
        ({"rng": -1}, "rng must be"),
    ],
)
def test_what_is_refused(arguments, message):
    data = observations()
    codes = codes_of(best_vae(data).vae, data, np.zeros((500, 4)))
    with pytest.raises(ValueError, match=re.escape(message)):
        audit(**{"codes": codes} | arguments)
