"""The optimum for a fixed decoder: stationarity, independent searches, and limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

import theory
from numerics.data.block_factors import block_truth
from numerics.sweeps.complete import complete_sweep
from theory.groups import (
    Weights,
    equal_groups,
    grouped_gradient,
    grouped_loss,
    grouped_optima,
    grouped_optimum,
    grouped_terms,
)
from theory.groups.fixed_decoder import FixedDecoder
from theory.groups.search import least_curvature
from theory.partition import partition, partition_mask

PAIRS = [[0, 1], [2, 3]]
FAMILIES = ("diagonal", [[0, 3], [1, 2]], "full")


@pytest.fixture(scope="module")
def truth():
    loading = np.random.default_rng(0).standard_normal((5, 4))
    return theory.GenerativeModel(loading, 0.2, np.kron(np.eye(2), [[1, 0.8], [0.8, 1]]))


def solve(truth, weights, groups, **options):
    return grouped_optimum(truth.loading, truth.noise_variance, truth.covariance, weights, groups, **options)


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
@pytest.mark.parametrize(
    "weights", [Weights.independence(7), Weights(1.4, 0.2, 3, 0.6), Weights.independence(0)], ids=str
)
def test_first_and_second_order_conditions(truth, weights, posterior):
    best = solve(truth, weights, PAIRS, posterior=posterior)
    vae = best.vae
    assert vae.belongs_to(posterior)
    slope = grouped_gradient(
        vae.decoder,
        vae.encoder,
        vae.posterior_covariance,
        vae.noise_variance,
        truth.covariance,
        weights,
        partition(PAIRS, 4),
    )
    mask = partition_mask(partition(posterior, 4), 4)
    # Gradients here are of order 10; the solver stops where they no longer halve.
    np.testing.assert_allclose(slope.encoder, 0, atol=1e-9)
    np.testing.assert_allclose(slope.posterior_covariance[mask], 0, atol=1e-9)
    assert best.gradient_norm < 1e-9 and best.least_curvature > 0.05
    assert best.loss == pytest.approx(grouped_terms(vae, truth.covariance, PAIRS).loss(weights), abs=1e-12)


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
def test_against_a_search_over_all_parameters(truth, posterior):
    """BFGS over V and the Cholesky factor of Q, gradients by differences, from random starts: none is lower."""
    weights, groups = Weights(1.2, 6.0, 0.8, 1.5), partition(PAIRS, 4)
    rows, columns = np.array([(i, j) for block in partition(posterior, 4) for i in block for j in block if j <= i]).T

    def loss(x):
        factor = np.zeros((4, 4))
        factor[rows, columns] = x[20:]
        arrays = (truth.loading, x[:20].reshape(4, 5), factor @ factor.T, truth.noise_variance, truth.covariance)
        return grouped_loss(*arrays, weights, groups)

    rng, found = np.random.default_rng(1), []
    for _ in range(3):
        start = np.concatenate([0.3 * rng.standard_normal(20), np.where(rows == columns, 0.7, 0.0)])
        found.append(minimize(loss, start, method="BFGS", options={"gtol": 1e-6}).fun)
    # Differences leave the search about 1e-10 above the minimum.
    assert solve(truth, weights, PAIRS, posterior=posterior).loss == pytest.approx(min(found), abs=1e-8)


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
def test_equal_weights_and_one_group_are_the_plain_vae(truth, posterior):
    for weights, groups, beta in ((Weights.uniform(2.5), PAIRS, 2.5), (Weights.independence(50), "full", 1.0)):
        plain = theory.optimal_encoder(truth.loading, truth.noise_variance, beta, posterior=posterior)
        best = solve(truth, weights, groups, posterior=posterior).vae
        np.testing.assert_allclose(best.encoder, plain.encoder, atol=1e-11)
        np.testing.assert_allclose(best.posterior_covariance, plain.posterior_covariance, atol=1e-11)
    moved = solve(truth, Weights.independence(1.01), PAIRS, posterior=posterior).vae
    assert np.abs(moved.encoder - theory.optimal_encoder(truth.loading, 0.2, 1.0).encoder).max() > 1e-5


def test_groups_of_one_penalise_all_total_correlation(truth):
    single = solve(truth, Weights.independence(4), "diagonal")
    assert single.loss == pytest.approx(solve(truth, Weights(1, 4, 4, 1), PAIRS).loss, abs=1e-10)
    assert single.loss == pytest.approx(solve(truth, Weights(1, 9, 4, 1), "full").loss, abs=1e-10)


def test_edges():
    """Fewer data dimensions than latents, a latent without weight, data that do not vary, no latents."""
    rng = np.random.default_rng(4)
    wide = rng.standard_normal((2, 3))
    wide[:, 2] = 0
    for covariance in (np.diag([2.0, 1.0]), np.diag([2.0, 0.0]), np.zeros((2, 2))):
        best = grouped_optimum(wide, 0.3, covariance, Weights.independence(5))
        assert best.gradient_norm < 1e-9
        np.testing.assert_allclose(best.vae.encoder[2], 0, atol=1e-12)
        assert best.vae.posterior_covariance[2, 2] == pytest.approx(1)
    empty = grouped_optimum(np.zeros((2, 0)), 0.3, np.eye(2), Weights.independence(5))
    assert empty.loss == pytest.approx(2 / 0.6 + np.log(2 * np.pi * 0.3))


def test_misuse(truth):
    with pytest.raises(ValueError, match=r"weights\.within must be >= 0"):
        solve(truth, Weights(within=-1), PAIRS)
    with pytest.raises(ValueError, match="start must have a posterior covariance of the family"):
        solve(truth, Weights(), PAIRS, start=theory.optimal_encoder(truth.loading, 0.2, 1.0, posterior="full"))


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
def test_learned_noise(truth, posterior):
    """Stationary in the noise too, and no search over the noise, each with the solver inside, finds less."""
    weights = Weights.independence(6)
    best = grouped_optimum(truth.loading, "learned", truth.covariance, weights, PAIRS, posterior=posterior)
    assert best.terms.distortion == pytest.approx(5 * best.vae.noise_variance, rel=1e-12)
    found = minimize_scalar(
        lambda log_noise: (
            grouped_optimum(
                truth.loading, np.exp(log_noise), truth.covariance, weights, PAIRS, posterior=posterior
            ).loss
        ),
        bounds=np.log([0.01, 5.0]),
        options={"xatol": 1e-7},
    )
    assert best.loss == pytest.approx(found.fun, abs=1e-10)


def test_noise_that_cannot_be_learned():
    with pytest.raises(ValueError, match="noise_variance must be a number if the data have no variance outside"):
        grouped_optimum(np.eye(3), "learned", np.eye(3), Weights.independence(2))
    with pytest.raises(ValueError, match="noise_variance must be a number or 'learned'"):
        grouped_optimum(np.eye(3), "lerned", np.eye(3), Weights.independence(2))


def test_learned_noise_of_a_decoder_that_decodes_nothing():
    covariance = np.diag([2.0, 1.0, 0.3])
    for decoder in (np.zeros((3, 2)), np.zeros((3, 0))):
        best = grouped_optimum(decoder, "learned", covariance, Weights.independence(3), "full")
        assert best.vae.noise_variance == pytest.approx(1.1, rel=1e-12)


def parts_loss(decoder, encoder, posterior, noise, covariance, weights, groups):
    """The objective from its definition: distortion, and entropies of the code; no code of the package."""

    def log_det(matrix):
        return np.linalg.slogdet(matrix)[1]

    code = encoder @ covariance @ encoder.T + posterior
    leak = np.eye(len(covariance)) - decoder @ encoder
    distortion = np.sum((leak @ covariance) * leak) + np.sum((decoder @ posterior) * decoder)
    inside, own = sum(log_det(code[np.ix_(group, group)]) for group in groups), np.diagonal(code)
    rate = weights.mutual_information * (log_det(code) - log_det(posterior)) / 2
    rate += weights.between * (inside - log_det(code)) / 2 + weights.within * (np.log(own).sum() - inside) / 2
    rate += weights.dimension_wise * np.sum(own - 1 - np.log(own)) / 2
    return distortion / (2 * noise) + len(covariance) / 2 * np.log(2 * np.pi * noise) + rate


def least_found(decoder, noise, covariance, weights, groups, blocks, starts, seed):
    """BFGS over V, the Cholesky factors of Q and (noise=None) log noise, gradients by differences."""
    data_dim, latent_dim = decoder.shape
    rows, columns = np.array([(i, j) for block in blocks for i in block for j in block if j <= i]).T
    diagonal, size = rows == columns, data_dim * latent_dim

    def loss(x):
        factor = np.zeros((latent_dim, latent_dim))
        entries = x[size:-1]
        factor[rows, columns] = np.where(diagonal, np.exp(np.clip(entries, -40, 20)), entries)
        variance = np.exp(np.clip(x[-1], -30, 30)) if noise is None else noise
        encoder = x[:size].reshape(latent_dim, data_dim)
        return parts_loss(decoder, encoder, factor @ factor.T, variance, covariance, weights, groups)

    rng, found = np.random.default_rng(seed), []
    for _ in range(starts):
        start = np.concatenate([0.5 * rng.standard_normal(size), np.where(diagonal, -0.5, 0.0), rng.normal(-1, 1.5, 1)])
        found.append(minimize(loss, start, method="BFGS", options={"maxiter": 500}).fun)
    return min(found)


@pytest.mark.parametrize("seed", range(8))
def test_against_searches_for_any_rank_of_the_decoder(seed):
    """Random decoders 2 x 3 .. 3 x 2, some of rank 1, weights about 1, fixed and learned noise."""
    rng = np.random.default_rng(seed)
    data_dim, latent_dim = [(2, 3), (3, 2), (2, 2), (3, 3)][seed % 4]
    decoder = rng.standard_normal((data_dim, latent_dim))
    if seed % 3 == 0:
        decoder = decoder[:, :1] @ rng.standard_normal((1, latent_dim))
    root = rng.standard_normal((data_dim, data_dim))
    covariance = root @ root.T + 0.05 * np.eye(data_dim)
    weights = Weights(*np.exp(rng.standard_normal(4))) if seed % 2 else Weights.independence(6)
    groups = [[0, 1], [2]] if latent_dim == 3 and seed % 2 else "diagonal"
    learned = np.linalg.matrix_rank(decoder) < data_dim
    best = grouped_optimum(decoder, "learned" if learned else 0.3, covariance, weights, groups)
    vae, groups = best.vae, partition(groups, latent_dim)
    arrays = (vae.decoder, vae.encoder, vae.posterior_covariance, vae.noise_variance)
    assert parts_loss(*arrays, covariance, weights, groups) == pytest.approx(best.loss, abs=1e-10)
    found = least_found(
        decoder, None if learned else 0.3, covariance, weights, groups, partition("diagonal", latent_dim), 3, seed
    )
    assert best.loss == pytest.approx(found, abs=1e-7)  # what gradients by differences leave
    assert best.gradient_norm < 1e-9 and best.least_curvature > 0 and best.starts > 10


EQUAL_COLUMNS = np.array([[1.0, 1.0], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("weight", "lower"), [(1.5, 0.0), (2.0, 0.0127), (5.0, 0.0494), (10.0, 0.0318), (100.0, 0.0039)]
)
def test_equal_columns_decorrelate_through_data_that_the_decoder_cannot_give_back(weight, lower):
    """What both latents share is cancelled by a signal of opposite signs, which the decoder adds up to nothing.

    Without it, E_2 = 0, the two latents are one problem in C = [[a + q, a], [a, a + q]] or are not equal; its minimum
    lies above by `lower`, and is a saddle. The losses are those of BFGS over all V and Q.
    """
    weights, covariance = Weights.independence(weight), np.diag([4.0, 1.0])
    best = grouped_optimum(EQUAL_COLUMNS, 0.5, covariance, weights)
    blind = grouped_optimum(EQUAL_COLUMNS, 0.5, np.diag([4.0, 0.0]), weights)  # no data outside the range
    assert blind.loss + 1 / (2 * 0.5) - best.loss == pytest.approx(lower, abs=6e-5)  # the digits that are given
    assert best.loss == pytest.approx(
        least_found(EQUAL_COLUMNS, 0.5, covariance, weights, partition("diagonal", 2), [[0], [1]], 4, 0), abs=1e-8
    )
    if lower:
        np.testing.assert_allclose(best.vae.encoder[0, 1], -best.vae.encoder[1, 1], rtol=1e-8)
        assert abs(best.vae.encoder[0, 1]) > 0.1 and best.least_curvature > 0
        problem = FixedDecoder(EQUAL_COLUMNS, 0.5, covariance, partition("diagonal", 2), partition("diagonal", 2))
        saddle = problem.pack(blind.vae)
        assert np.abs(problem.coordinates.gradient(saddle, weights)).max() < 1e-9
        assert least_curvature(problem.coordinates.hessian(saddle, weights), problem.idle(saddle)) < -1e-3


def test_known_losses():
    best = grouped_optimum(EQUAL_COLUMNS, 0.5, np.diag([4.0, 1.0]), Weights.independence(10))
    assert best.loss == pytest.approx(4.506656, abs=1e-6)
    np.testing.assert_allclose(np.abs(best.vae.encoder), [[0.345, 0.586]] * 2, atol=1e-3)
    best = grouped_optimum([[1.0], [0.0]], "learned", np.diag([20, 0.05]), Weights.uniform(0.5))
    assert (best.loss, best.vae.noise_variance) == pytest.approx((4.955707, 6.048257), abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_learned_noise_of_a_decoder_of_zeros(seed):
    """Nothing is decoded, whatever the weights: the noise is the mean variance, and the rate zero."""
    root = np.random.default_rng(seed).standard_normal((5, 5))
    covariance = root @ root.T
    best = grouped_optimum(np.zeros((5, 1)), "learned", covariance, Weights(1.3, 5.0, 0.5, 3.8))
    noise = np.trace(covariance) / 5
    assert best.vae.noise_variance == pytest.approx(noise, rel=1e-10)
    assert best.loss == pytest.approx(2.5 * (1 + np.log(2 * np.pi * noise)), rel=1e-12)


def test_of_all_roots_of_a_learned_noise_the_one_of_least_loss():
    """One latent, equal weights: D s2 = distortion is a cubic in t = beta s2, with up to two minima among its roots."""
    rng, several = np.random.default_rng(0), 0
    for _ in range(40):
        gain, signal, outside, beta = np.exp(rng.normal([0, 3, -3, -0.5], 1))
        cubic = np.polynomial.Polynomial([-outside, 2 / beta]) * np.polynomial.Polynomial([gain, 1]) ** 2
        cubic -= np.polynomial.Polynomial([0, gain**2, gain + signal])
        roots = cubic.roots()
        levels = roots[(np.abs(roots.imag) < 1e-9 * np.abs(roots)) & (roots.real > 0)].real
        several += len(levels) == 3
        signals = gain * signal / (gain + levels) ** 2 + np.log1p(gain / levels) - gain / (levels + gain)
        losses = 1 + np.log(2 * np.pi * levels / beta) + beta / 2 * signals
        best = grouped_optimum([[np.sqrt(gain)], [0.0]], "learned", np.diag([signal, outside]), Weights.uniform(beta))
        assert best.loss == pytest.approx(losses.min(), abs=1e-9)
        assert best.vae.noise_variance == pytest.approx(levels[losses.argmin()] / beta, rel=1e-6)
    assert several >= 3


def test_learned_noise_of_dependent_columns():
    """What of the data lies outside the decoder's range is counted from its rank: .0009, not the .0001 that is left of
    it given the data inside; the plain VAE then had the noise .0080 and the loss 1.938523, with a gradient of .07."""
    decoder, covariance = np.outer([0.65, 0.8], [-1.0, 0.9]), np.array([[0.08, 0.113], [0.113, 0.16]])

    def loss(log_noise):
        noise = np.exp(log_noise)
        encoder = np.linalg.solve(decoder.T @ decoder + noise * np.eye(2), decoder.T)
        posterior = np.diag(noise / (noise + np.sum(decoder**2, axis=0)))
        return parts_loss(decoder, encoder, posterior, noise, covariance, Weights(), partition("diagonal", 2))

    best = grouped_optimum(decoder, "learned", covariance, Weights())
    least = minimize_scalar(loss, bounds=(-8, 0), options={"xatol": 1e-9})
    assert best.loss == pytest.approx(least.fun, abs=1e-12) == pytest.approx(1.904464098, abs=1e-9)
    assert best.gradient_norm < 1e-12 and best.vae.noise_variance == pytest.approx(np.exp(least.x), rel=1e-6)


def test_a_start_is_where_the_search_begins():
    """With a learned noise too: near the other minimum of the noise, that one is found."""
    covariance, weights = np.diag([20, 0.05]), Weights(0.5, 0.5, 0.5, 0.5001)
    least = grouped_optimum([[1.0], [0.0]], "learned", covariance, weights)
    other = theory.optimal_encoder([[1.0], [0.0]], 0.0377, 0.5)
    found = grouped_optimum([[1.0], [0.0]], "learned", covariance, weights, start=other)
    assert found.vae.noise_variance == pytest.approx(0.0377, rel=1e-2) and found.starts == 1
    assert found.loss > least.loss + 0.1 and found.gradient_norm < 1e-9
    assert least.vae.noise_variance == pytest.approx(6.05, rel=1e-2)


@pytest.mark.parametrize("size", [1.0, 1e-4, 1e4, 1e-30])
def test_a_latent_whose_scale_has_no_price(size):
    """At weight 0 on the divergence of single latents a collapsed one shrinks for ever.

    One latent: the loss is (2.5 - 2 r / (1 + r)) / (2 s2) + 4 log(1 + r) + log(2 pi s2) at the ratio r of signal to
    noise and the best gain; least at r = 0, where no scale is left. The size of the decoder, which a latent makes up
    for, changes nothing.
    """
    for noise in (5.0, 1.0):
        infimum = 1.25 / noise + np.log(2 * np.pi * noise)
        with pytest.raises(ValueError, match=rf"weights\.dimension_wise must be > 0 here.*{infimum:.4g}"):
            grouped_optimum([[size], [0.0]], noise, np.diag([2.0, 0.5]), Weights(8, 1, 1, 0))
    active = grouped_optimum([[size], [0.0]], 0.1, np.diag([2.0, 0.5]), Weights(1, 1, 1, 0))
    ratio = 2 / 0.1 - 1  # 1 + r = s / (w_I s2)
    exact = (2.5 - 2 * ratio / (1 + ratio)) / 0.2 + np.log(1 + ratio) / 2 + np.log(0.2 * np.pi)
    assert active.loss == pytest.approx(exact, abs=1e-10)


def test_a_width_that_vanishes_on_the_way_to_the_least_loss_is_refused():
    """At weight 1e-3 another minimum is lower; at 0 the least loss is the limit of two latents that become one.

    With z = u y that limit is, by BFGS over u, V and Q of y, 5.421427741; 5.421427817, where a search stopped with a
    posterior variance of 1e-9, was returned as a minimum.
    """
    decoder, data = [[6.3, -4.8], [2.7, 1.2]], np.diag([0.5, 45.2])
    with pytest.raises(ValueError, match=r"weights\.between must be > 0 here, got 0: the loss falls to 5\.421"):
        grouped_optimum(decoder, 1.0, data, Weights.independence(0), posterior="full")
    near = grouped_optimum(decoder, 1.0, data, Weights.independence(1e-6), posterior="full")
    assert near.loss == pytest.approx(5.421427741, abs=2e-5)
    assert np.linalg.eigvalsh(near.vae.posterior_covariance)[0] < 1e-7


def test_the_search_says_how_many_starts_agree(truth):
    convex = solve(truth, Weights.uniform(2), PAIRS)
    assert (convex.starts, convex.agreeing) == (1, 1)
    several = solve(truth, Weights.independence(3), PAIRS)
    assert several.starts >= several.agreeing >= 4


@pytest.mark.parametrize("decoder", [np.ones((3, 2)), [[1.0, 0.2, 0.5], [0.1, 1.3, -0.4]]])
def test_a_noise_too_small_for_dependent_latents_is_refused(decoder):
    """Their codes are copies of each other but for the noise: at 1e-15 a search ends 16 nats above the minimum."""
    data = np.diag([2.0, 1.0, 0.5])[: len(decoder), : len(decoder)]
    losses = [grouped_optimum(decoder, noise, data, Weights.independence(2)).terms.between for noise in (1e-6, 1e-9)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
    for noise in (1e-13, 1e-15, 1e-17, 1e-40):
        with pytest.raises(ValueError, match="noise_variance must not be so small against the signal in the code"):
            grouped_optimum(decoder, noise, data, Weights.independence(2))


def test_numbers_beyond_the_solver_are_refused():
    for arguments in (
        (np.full((3, 2), 1e70), 0.5, np.eye(3)),
        (np.ones((3, 2)), 1e-120, np.eye(3)),
        (np.ones((3, 2)), 0.5, 1e120 * np.eye(3)),
    ):
        with pytest.raises(
            ValueError, match=r"(decoder|noise_variance|covariance) must be (zero or )?between 1e-\d+ and"
        ):
            grouped_optimum(*arguments, Weights.independence(2))
    with pytest.raises(ValueError, match=r"weights\.between must be at most 1e\+09 times"):
        grouped_optimum(np.ones((3, 2)), 0.5, np.eye(3), Weights.independence(1e12))


def test_a_lower_minimum_is_found_where_dependence_is_rewarded():
    """From four of five random codes a search ends .18 nats above the least loss."""
    stream = np.random.SeedSequence(19).spawn(2)[0]
    truth = block_truth((2, 2, 2), 0.8, 0.1, 8, rng=np.random.default_rng(stream))
    arguments = truth.loading, truth.noise_variance, truth.covariance, Weights.independence(0.3), equal_groups(6, 4)
    best = grouped_optimum(*arguments)
    done = complete_sweep(
        truth.covariance, 6, betas=[Weights.independence(0.3)], seeds=12, groups=equal_groups(6, 4),
        noise_variance=truth.noise_variance, decoder=truth.loading,
    )  # fmt: skip
    assert best.starts == 33 and best.loss == pytest.approx(done.losses.min(), abs=1e-9)
    assert np.count_nonzero(done.losses > best.loss + 0.1) > 0


@pytest.mark.parametrize("noise", [0.2, "learned"])
@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
def test_many_weights_and_partitions_at_once_are_those_one_by_one(truth, posterior, noise):
    weights = [Weights.independence(beta) for beta in (0.0, 0.3, 1.0, 1.5, 7.0, 40.0)]
    weights += [Weights.uniform(2.0), Weights(1.4, 0.2, 3.0, 0.6), Weights(dimension_wise=0.5, within=4.0)]
    partitions = ["full", PAIRS, [[0], [1, 2, 3]], "diagonal"]
    together = grouped_optima(truth.loading, noise, truth.covariance, weights, partitions, posterior=posterior)
    for one, row in zip(weights, together, strict=True):
        for groups, best in zip(partitions, row, strict=True):
            alone = grouped_optimum(truth.loading, noise, truth.covariance, one, groups, posterior=posterior)
            assert best.loss == pytest.approx(alone.loss, abs=1e-11)
            assert best.vae.noise_variance == pytest.approx(alone.vae.noise_variance, rel=1e-8)
            assert (best.starts, best.agreeing) == (alone.starts, alone.agreeing)
            assert best.gradient_norm < 1e-9


def test_one_of_many_weights_without_a_minimum_is_refused():
    weights = [Weights.independence(2), Weights(dimension_wise=0)]
    with pytest.raises(ValueError, match=r"weights\.dimension_wise must be > 0 here"):
        grouped_optima(np.ones((3, 2)), 0.5, np.eye(3), weights, ["diagonal"])
    with pytest.raises(ValueError, match="weights must be a Weights"):
        grouped_optima(np.ones((3, 2)), 0.5, np.eye(3), [2.0], ["diagonal"])
