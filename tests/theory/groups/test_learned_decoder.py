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
    assert status(1, -0.5, 1, 1, covariance=2 * np.eye(4)) == "undecided"
    assert status(1, -1.01, 1, 1, covariance=2 * np.eye(4)) == "unbounded"  # two groups: 1 + w_B < 0
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
    rotated = move @ vae.posterior_covariance @ move.T
    moved = theory.LinearVAE(vae.decoder @ np.linalg.inv(move), move @ vae.encoder, (rotated + rotated.T) / 2, NOISE)
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


def copied(weights, groups, used, size, noise=NOISE):
    """The loss with one signal, that of the first mode, copied to the latents `used` with posterior variance `size`."""
    latent_dim = sum(map(len, groups))
    values, vectors = np.linalg.eigh(COVARIANCE)
    gain = np.isin(np.arange(latent_dim), used) * np.sqrt(1 - size) / np.sqrt(values[-1])
    encoder = np.outer(gain, vectors[:, -1])
    posterior = np.diag(np.where(np.isin(np.arange(latent_dim), used), size, 1.0))
    code = encoder @ COVARIANCE @ encoder.T + posterior
    decoder = np.linalg.solve(code, encoder @ COVARIANCE).T
    return grouped_terms(theory.LinearVAE(decoder, encoder, posterior, noise), COVARIANCE, groups).loss(weights)


THREES = [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("weights", "groups", "used", "slope"),
    [
        (Weights(between=-2), [[0], [1]], [0, 1], -1),  # w_I + w_B (G - 1)
        (Weights(between=-0.8), [[0], [1], [2]], [0, 1, 2], -0.6),
        (Weights(within=-0.6), [[0, 1, 2], [3]], [0, 1, 2], -0.2),  # w_I + w_W (m - 1)
        (Weights(between=-0.3, within=-0.4), [[0, 1], [2, 3]], [0, 1, 2, 3], -0.1),  # to all: w_B (G - 1) + w_W (K - G)
        (Weights(between=0.2, within=-0.31), THREES, range(6), -0.04),  # one group of three alone: .38 > 0
        (Weights(between=0.9, within=-0.6), [[0, 1, 2], [3, 4]], [0, 1, 2], -0.2),  # the pair would cost .3 more
        (Weights(between=-1.2, within=3), [[0, 1], [2, 3]], [0, 2], -0.2),  # one latent of each group
    ],
)
def test_one_signal_copied_runs_to_minus_infinity(weights, groups, used, slope):
    """As the posterior variances of the copies fall like e the loss changes by slope/2 log(1/e)."""
    latent_dim = sum(map(len, groups))
    known = learned_decoder_value(COVARIANCE, latent_dim, weights, groups, noise_variance=NOISE)
    assert (known.value, known.status) == (-np.inf, "unbounded")
    first, second = (copied(weights, groups, list(used), size) for size in (1e-7, 1e-9))
    assert second - first == pytest.approx(slope / 2 * np.log(100), abs=1e-5)  # O(e) is left
    # Negative control: a little less, and the same copies cost.
    shift = 1.01 * abs(slope)
    less = Weights(weights.mutual_information + shift, weights.between, weights.within)
    known = learned_decoder_value(COVARIANCE, latent_dim, less, groups, noise_variance=NOISE)
    assert known.status == "lower" and known.value is None
    assert copied(less, groups, list(used), 1e-9) > copied(less, groups, list(used), 1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_where_no_copy_gains_there_is_a_lower_bound(seed):
    """The sum of what the weights add to the distortion is then never negative, for random codes of all sizes.

    With the information of latents J, 1/2 log det(I + A_J), A = h h^T for the gains h in units of the noise.
    """
    rng, groups = np.random.default_rng(seed), [[0, 1, 2], [3, 4], [5]]
    bounded = 0
    for _ in range(40):
        weights = Weights(1.0, *rng.normal(0, 0.6, 2))
        status = learned_decoder_value(COVARIANCE, 6, weights, groups, noise_variance=NOISE).status
        least = np.inf
        for trial in range(40):
            gains = rng.standard_normal((6, 4)) * np.exp(rng.uniform(-3, 12, (6, 1) if trial % 2 else ()))
            if trial % 4 < 2:  # copies of one signal to random latents, and a little of their own
                gains = np.outer(rng.random(6) < 0.7, gains[0]) + 1e-3 * rng.standard_normal((6, 4))
            gram = gains @ gains.T

            def information(latents, gram=gram):
                return np.linalg.slogdet(np.eye(len(latents)) + gram[np.ix_(latents, latents)])[1] / 2

            whole, inside = information(range(6)), sum(map(information, groups))
            single = sum(information([latent]) for latent in range(6))
            least = min(least, whole + weights.between * (inside - whole) + weights.within * (single - inside))
        if status != "unbounded":
            bounded += 1
            assert least > -1e-6
    assert bounded > 10


def test_a_learned_noise_that_all_copies_resolve():
    """K = 2 latents for data of rank 1 in D = 2: plain, w_I = 2.2 > D / r keeps the noise from zero.

    A copy to both groups costs w_I + w_B (G - 1) = 1.9 < D, so that with w_B = -.3 the noise runs to zero after all.
    """
    covariance = np.diag([3.0, 0.0])
    for between, status in ((-0.3, "unbounded"), (-0.1, "undecided")):  # all collapsed, a tie
        known = learned_decoder_value(covariance, 2, Weights(2.2, between), "diagonal")
        assert np.isfinite(known.plain) and known.status == status
    vae = [
        theory.LinearVAE(
            np.array([[gain, gain], [0, 0]]), np.array([[1, 0], [1, 0]]) / np.sqrt(3), size * np.eye(2), s2
        )
        for size in (1e-4, 1e-8)
        for gain, s2 in [(np.sqrt(3) / (2 + size), 3 * size / (2 + size) / 2)]
    ]
    losses = [grouped_terms(model, covariance, "diagonal").loss(Weights(2.2, -0.3)) for model in vae]
    assert losses[1] - losses[0] == pytest.approx(-0.1 / 2 * np.log(1e4), abs=1e-3)


def test_data_that_do_not_vary_leave_nothing_to_copy():
    known = learned_decoder_value(np.zeros((3, 3)), 2, Weights(between=-3), noise_variance=NOISE)
    assert (known.value, known.status) == (known.plain, "unique")
    free = learned_decoder_value(np.zeros((3, 3)), 2, Weights(between=-3), noise_variance=NOISE, posterior="full")
    assert free.status == "unbounded"


def test_a_correlated_prior_at_extreme_weights():
    """As w falls to 0, 1 - r^2 = w r (1 - rho r) / rho; as it grows the shift is the prior's total correlation."""
    small = np.log(1 - 0.6) - np.log(1 - 0.36) / 2
    assert correlated_prior_shift(0.6, 1e-320) == pytest.approx(small, rel=1e-12)
    assert correlated_prior_shift(0.6, 1e308) == pytest.approx(-np.log(1 - 0.36) / 2, rel=1e-12)
    for weight in (0.9e-3, 1.1e-3):  # either side of the change of formula
        r = 2 * 0.6 / (weight + np.sqrt(weight**2 + 4 * 0.36 * (1 - weight)))
        direct = np.log(1 - 0.6 * r) - np.log(1 - 0.36) / 2 - weight / 2 * np.log(1 - r**2)
        assert correlated_prior_shift(0.6, weight) == pytest.approx(direct, rel=1e-11)
