"""Grouping does nothing with a learned decoder: searches over all parameters, in and out of the theorem's scope."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

import theory
from theory.groups import (
    Weights,
    correlated_prior_shift,
    grouped_gradient,
    grouped_loss,
    grouped_terms,
    learned_decoder_value,
)
from theory.groups.learned_decoder import LearnedDecoderValue
from theory.partition import partition

NOISE = 0.3
ROOT = np.random.default_rng(3).standard_normal((4, 4))
COVARIANCE = ROOT @ ROOT.T
PAIRED = [[0, 1], [2]]


def search(covariance, latent_dim, weights, groups, posterior, noise=NOISE, prior=None):
    """Least loss found over decoder, encoder, Cholesky factors of Q and (noise=None) log noise, from two starts."""
    data_dim, rng = len(covariance), np.random.default_rng(0)
    blocks = partition(posterior, latent_dim)
    rows, columns = np.array([(i, j) for block in blocks for i in block for j in block if j <= i]).T
    diagonal, size = rows == columns, data_dim * latent_dim
    options = {"covariance": covariance, "weights": weights, "groups": partition(groups, latent_dim), "prior": prior}

    def loss(x):
        decoder, encoder = x[:size].reshape(data_dim, -1), x[size : 2 * size].reshape(latent_dim, -1)
        factor, entries = np.zeros((latent_dim, latent_dim)), x[2 * size : -1]
        factor[rows, columns] = np.where(diagonal, np.exp(np.where(diagonal, entries, 0)), entries)
        variance = np.exp(x[-1]) if noise is None else noise
        arrays = (decoder, encoder, factor @ factor.T, variance)
        slope = grouped_gradient(*arrays, **options)
        by_entry = (2 * slope.posterior_covariance @ factor)[rows, columns]
        by_entry = np.where(diagonal, by_entry * factor[rows, columns], by_entry)
        by_noise = [slope.noise_variance * variance if noise is None else 0.0]
        return grouped_loss(*arrays, **options), np.concatenate(
            [slope.decoder.ravel(), slope.encoder.ravel(), by_entry, by_noise]
        )

    starts = [rng.standard_normal(2 * size + len(rows) + 1) * 0.5 for _ in range(2)]
    found = [minimize(loss, x, jac=True, method="BFGS", options={"maxiter": 3000, "gtol": 1e-8}) for x in starts]
    return min(run.fun for run in found)


@pytest.mark.parametrize("noise", [NOISE, None], ids=["fixed", "learned"])
@pytest.mark.parametrize("posterior", ["diagonal", [[0, 2], [1]]], ids=str)
@pytest.mark.parametrize("groups", ["diagonal", PAIRED, "full"], ids=str)
@pytest.mark.parametrize("weights", [Weights(1.5, 3, 0.4, 2), Weights(0.7, 0, 2, 1), Weights(2, 0, 0, 0)], ids=str)
def test_the_value_does_not_move(weights, groups, posterior, noise):
    known = learned_decoder_value(
        COVARIANCE, 3, weights, groups, noise_variance="learned" if noise is None else noise, posterior=posterior
    )
    assert known.value == known.plain
    assert search(COVARIANCE, 3, weights, groups, posterior, noise) == pytest.approx(known.value, abs=1e-10)


def test_the_weight_of_information_moves_it():
    values = [learned_decoder_value(COVARIANCE, 3, Weights(w), noise_variance=NOISE).value for w in (1, 1.1)]
    assert values[1] > values[0] + 0.1


def test_which_weights_leave_the_optimum_unique():
    def status(*weights, groups=PAIRED, covariance=COVARIANCE, posterior="diagonal"):
        return learned_decoder_value(
            covariance, 3, Weights(*weights), groups, noise_variance=NOISE, posterior=posterior
        ).status

    assert status(1, 2, 3, 4) == "unique"
    assert status(1, 0, 1, 1) == status(1, 1, 0, 1) == status(1, 1, 1, 0) == "not unique"
    assert status(1, 0, 1, 1, groups="full") == status(1, 1, 0, 1, groups="diagonal") == "unique"  # nothing to weigh
    assert status(1, 0, 1, 1, covariance=2 * np.eye(4)) == "unique"  # ties: no rotation makes the latents dependent
    assert status(1, 0, 1, 1, covariance=2 * np.eye(4), posterior="full") == "not unique"
    assert status(1, -1, 1, 1, covariance=2 * np.eye(4)) == "undecided"
    assert status(1, 1, 1, -0.1) == "unbounded"


@pytest.mark.parametrize("part", ["between", "within"])
def test_at_weight_zero_other_optima_exist(part):
    """A rotation of the optimum in the coordinates in which Q = I has some of this part, and costs nothing else."""
    vae = theory.optimum(COVARIANCE, 3, noise_variance=NOISE).vae
    scales = np.sqrt(np.diagonal(vae.posterior_covariance))
    i, j = {"between": (0, 2), "within": (0, 1)}[part]
    rotation = np.eye(3)
    rotation[np.ix_([i, j], [i, j])] = [[0.8, 0.6], [-0.6, 0.8]]
    move = rotation / scales
    code = move @ move.T  # the code of the optimum is white
    move = move / np.sqrt(np.diagonal(code))[:, None]
    moved = theory.LinearVAE(
        vae.decoder @ np.linalg.inv(move), move @ vae.encoder, np.diag(1 / np.diagonal(code)), NOISE
    )
    terms = grouped_terms(moved, COVARIANCE, PAIRED)
    plain = theory.optimum(COVARIANCE, 3, noise_variance=NOISE).loss
    assert terms.loss(Weights(**{part: 0.0})) == pytest.approx(plain, abs=1e-10)
    assert terms.loss(Weights(**{part: -0.1})) < plain - 1e-3
    assert terms.loss(Weights()) > plain + 1e-2


@pytest.mark.parametrize("weights", [Weights(between=-0.1), Weights(within=-0.1)], ids=["between", "within"])
def test_negative_weights_fail(weights):
    known = learned_decoder_value(COVARIANCE, 3, weights, PAIRED, noise_variance=NOISE)
    assert known == LearnedDecoderValue(known.plain, None, "lower", known.idle)
    assert search(COVARIANCE, 3, weights, PAIRED, "diagonal") < known.plain - 1e-2
    known = learned_decoder_value(COVARIANCE, 3, weights, PAIRED, noise_variance=NOISE, posterior="full")
    assert (known.value, known.status) == (-np.inf, "unbounded")
    vae = theory.optimum(COVARIANCE, 3, noise_variance=NOISE).vae
    pair = [0, 2] if weights.between < 0 else [0, 1]
    move = np.eye(3)
    move[np.ix_(pair, pair)] = np.linalg.cholesky([[1, 1 - 1e-8], [1 - 1e-8, 1]])  # almost perfect correlation
    turned = move @ vae.posterior_covariance @ move.T
    moved = theory.LinearVAE(vae.decoder @ np.linalg.inv(move), move @ vae.encoder, (turned + turned.T) / 2, NOISE)
    assert grouped_terms(moved, COVARIANCE, PAIRED).loss(weights) < known.plain - 0.8  # 0.1 * log(2e-8) / 2 = -.89


@pytest.mark.parametrize("weight", [0.5, 1.0, 2.0, 20.0])
@pytest.mark.parametrize("correlation", [0.5, -0.9])
def test_a_correlated_prior_moves_the_value(correlation, weight):
    prior = np.array([[1, correlation], [correlation, 1]])
    plain = theory.optimum(COVARIANCE, 2, noise_variance=NOISE).loss
    found = search(COVARIANCE, 2, Weights(between=weight), "diagonal", "full", prior=prior) - plain
    assert correlated_prior_shift(correlation, weight) == pytest.approx(found, abs=1e-10)
    assert np.sign(correlated_prior_shift(correlation, weight)) == np.sign(weight - 1)


def test_limits_of_a_correlated_prior():
    assert correlated_prior_shift(0.0, 7.0) == 0.0
    assert correlated_prior_shift(0.6, 1e9) == pytest.approx(-np.log(1 - 0.36) / 2, rel=1e-8)  # 1/weight is left
    with pytest.raises(ValueError, match="correlation must lie between"):
        correlated_prior_shift(1.0, 2.0)


def test_a_noise_that_runs_to_zero_and_no_latents():
    assert learned_decoder_value(np.diag([1.0, 0, 0]), 2, Weights(between=3)).status == "unbounded"
    assert learned_decoder_value(COVARIANCE, 0, Weights(between=-3)).status == "unique"
