"""Minibatch estimates: bias against quadrature, its order, offset, scale, bounds."""

import numpy as np
import pytest

from theory import LinearVAE
from theory.groups import grouped_terms, minibatch_bias, minibatch_bounds, minibatch_offset, minibatch_scale

PAIRS = [[0, 1], [2, 3]]


def single(signal):
    """One latent with q(z|x) = N(x, 1), for data of variance `signal`."""
    return LinearVAE([[1.0]], [[1.0]], [[1.0]], 1.0), [[signal]]


def code(posterior=None, seed=0, size=0.4):
    rng = np.random.default_rng(seed)
    root, encoder = rng.standard_normal((5, 5)), size * rng.standard_normal((4, 5))
    posterior = np.diag([0.3, 0.5, 0.4, 0.2]) if posterior is None else posterior
    return LinearVAE(encoder.T, encoder, posterior, 0.5), root @ root.T


def exact_bias(signal, dataset_size, batch_size):
    """E log q^ - E log q of the stratified estimate of one latent, by quadrature without any expansion.

    log a is the integral over s of [exp(-s) - exp(-s a)] / s, and exp(-s q^/q) factorises over the points.
    """
    grid = np.linspace(-9, 9, 201)
    weight = np.exp(-(grid**2) / 2)
    weight /= weight.sum()
    codes, points = np.sqrt(1 + signal) * grid, np.sqrt(signal) * grid
    ratio = np.sqrt(1 + signal) * np.exp(
        -((codes[:, None] - points) ** 2) / 2 + codes[:, None] ** 2 / (2 * (1 + signal))
    )
    line, step = np.linspace(-25, 12, 500, retstep=True)
    total, others = 0.0, batch_size - 1
    for probability, row in zip(weight, ratio, strict=True):
        own = np.exp(-np.outer(np.exp(line) / dataset_size, row)) @ (weight * row)
        share = (dataset_size - 1) / dataset_size / others
        other = np.exp(-np.outer(np.exp(line) * share, row)) @ weight
        total += probability * step * np.sum(np.exp(-np.exp(line)) - own * other**others)
    return total


def left_out(signal, dataset_size, batch_size):
    vae, covariance = single(signal)
    sizes = {"dataset_size": dataset_size, "batch_size": batch_size}
    formula = minibatch_bias(vae, covariance, "full", **sizes).dimension_wise_kl
    return exact_bias(signal, **sizes), formula


def test_the_bias_is_the_leading_order_and_the_next_is_quadratic():
    """For a squared correlation below 1/4; with another coefficient the remainder falls like 1/M only."""
    remainders, wrong = [], []
    for batch in (16, 32, 64):
        exact, formula = left_out(0.1, batch, batch)
        remainders.append((exact - formula) * batch**2)
        wrong.append((exact - 1.1 * formula) * batch**2)
    np.testing.assert_allclose(remainders[1:], remainders[:-1], rtol=0.01)
    assert np.min(np.divide(wrong[1:], wrong[:-1])) > 1.2


def test_the_bias_of_a_minibatch_of_larger_data():
    for dataset_size in (160, 10**6):
        exact, formula = left_out(0.1, dataset_size, 16)
        assert exact == pytest.approx(formula, rel=0.005) and formula < 0


def test_the_next_order_is_not_quadratic_for_an_informative_code():
    """Beyond a squared correlation of 1/4 the remainder falls more slowly than 1/M^2, but faster than 1/M."""
    first, second = (np.subtract(*left_out(1.0, batch, batch)) for batch in (64, 256))
    assert 4**1.1 < first / second < 4**1.75


def test_the_scale_is_the_mean_of_the_logarithm_where_the_mean_of_the_ratio_is_made():
    signal = 6.0
    codes, points = np.meshgrid(np.linspace(-70, 70, 1401), np.linspace(-60, 60, 1201))
    log_ratio = np.log(1 + signal) / 2 - (codes - points) ** 2 / 2 + codes**2 / (2 * (1 + signal))
    weight = np.exp(log_ratio - (codes - points) ** 2 / 2 - points**2 / (2 * signal))
    mean = np.sum(weight * log_ratio) / weight.sum()
    vae, covariance = single(signal)
    assert minibatch_scale(vae, covariance) == pytest.approx(np.exp(mean), rel=1e-8)
    spread = np.sum(weight * (log_ratio - mean) ** 2) / weight.sum()
    assert spread == pytest.approx(signal + 2 * signal**2, rel=1e-6)  # the grid ends at seven deviations


def test_parts_follow_from_the_ratios_of_their_latents():
    vae, covariance = code()
    signal = vae.encoder @ covariance @ vae.encoder.T
    rng = np.random.default_rng(1)
    found = minibatch_bias(vae, covariance, PAIRS, dataset_size=300, batch_size=20)
    factor = 1 / 300 - (299 / 300) ** 2 / 38

    def chi(latents):
        block = np.ix_(latents, latents)
        return np.linalg.det(np.eye(len(latents)) + np.linalg.solve(vae.posterior_covariance[block], signal[block])) - 1

    whole, pairs, singles = chi([0, 1, 2, 3]), [chi(pair) for pair in PAIRS], [chi([latent]) for latent in range(4)]
    assert found.mutual_information == pytest.approx(-whole * factor, rel=1e-10)
    assert found.between == pytest.approx((whole - sum(pairs)) * factor, rel=1e-10)
    np.testing.assert_allclose(
        found.within, [(pairs[0] - sum(singles[:2])) * factor, (pairs[1] - sum(singles[2:])) * factor], rtol=1e-10
    )
    assert found.dimension_wise_kl == pytest.approx(sum(singles) * factor, rel=1e-10)
    information = grouped_terms(vae, covariance, PAIRS).mutual_information
    assert whole == pytest.approx(np.expm1(2 * information), rel=1e-10)
    # chi by draws of q(z|x)/q(z), for a code of little information
    weak, covariance = code(size=0.04)
    points = rng.standard_normal((400_000, 5)) @ np.linalg.cholesky(covariance).T @ weak.encoder.T
    noise = rng.standard_normal(points.shape) * np.sqrt(np.diagonal(weak.posterior_covariance))
    aggregate = weak.encoder @ covariance @ weak.encoder.T + weak.posterior_covariance
    logs = np.sum((points + noise) * np.linalg.solve(aggregate, (points + noise).T).T, axis=1) / 2
    logs -= np.sum(noise**2 / np.diagonal(weak.posterior_covariance), axis=1) / 2
    ratio = np.exp(logs + np.log(np.linalg.det(aggregate) / np.prod(np.diagonal(weak.posterior_covariance))) / 2)
    bias = minibatch_bias(weak, covariance, PAIRS, dataset_size=300, batch_size=20).mutual_information
    assert ratio.mean() - 1 == pytest.approx(-bias / factor, abs=5 * ratio.std() / np.sqrt(len(ratio)))


@pytest.mark.parametrize("estimator", ["weighted", "stratified", "unnormalised", "fixed-column"])
def test_the_rate_has_no_bias(estimator):
    vae, covariance = code()
    found = minibatch_bias(vae, covariance, PAIRS, dataset_size=300, batch_size=20, estimator=estimator)
    total = found.mutual_information + found.between + found.within.sum() + found.dimension_wise_kl
    assert total == pytest.approx(0, abs=1e-9)
    assert abs(found.mutual_information) > 0.1


def test_one_group_and_single_latents():
    vae, covariance = code()
    sizes = {"dataset_size": 300, "batch_size": 20, "estimator": "weighted"}
    assert minibatch_bias(vae, covariance, "full", **sizes).between == 0
    assert np.all(minibatch_bias(vae, covariance, "diagonal", **sizes).within == 0)
    assert minibatch_bounds(vae, "full", **sizes).between == 0


def test_an_independent_code_has_a_bias_between_groups_and_an_idle_one_has_none():
    vae = LinearVAE(np.eye(2), np.eye(2), np.eye(2), 1.0)
    sizes = {"dataset_size": 1000, "batch_size": 50}
    assert grouped_terms(vae, np.eye(2), "diagonal").between == pytest.approx(0, abs=1e-12)
    factor = 1 / 1000 - 0.999**2 / 98
    assert minibatch_bias(vae, np.eye(2), "diagonal", **sizes).between == pytest.approx(factor, rel=1e-12)  # 3 - 1 - 1
    idle = minibatch_bias(vae, np.zeros((2, 2)), "diagonal", **sizes)
    assert idle.between == 0 and idle.mutual_information == 0
    assert minibatch_scale(vae, np.zeros((2, 2))) == 1


def test_the_weighted_estimate_is_the_stratified_one_of_a_data_set_of_one_minibatch_but_for_its_offset():
    vae, covariance = code()
    weighted = minibatch_bias(vae, covariance, PAIRS, dataset_size=300, batch_size=20, estimator="weighted")
    stratified = minibatch_bias(vae, covariance, PAIRS, dataset_size=20, batch_size=20)
    offset = minibatch_offset(PAIRS, 4, 300)
    assert (offset.mutual_information, offset.between) == (np.log(300), np.log(300))
    np.testing.assert_allclose(offset.within, np.log(300) * np.ones(2), rtol=1e-14)
    assert offset.dimension_wise_kl == pytest.approx(-4 * np.log(300), rel=1e-14)
    for part in ("mutual_information", "between", "within", "dimension_wise_kl"):
        np.testing.assert_allclose(
            getattr(weighted, part) - getattr(offset, part), getattr(stratified, part), rtol=1e-9, atol=1e-12
        )


def test_bounds_know_whether_the_posterior_links_groups():
    linked = 0.5 * np.eye(4)
    linked[0, 1] = linked[1, 0] = 0.2
    vae, _ = code(linked)
    sizes = {"dataset_size": 300, "batch_size": 20}
    assert minibatch_bounds(vae, PAIRS, **sizes).between == pytest.approx(np.log(300), rel=1e-14)
    assert minibatch_bounds(vae, PAIRS, estimator="weighted", **sizes).between == pytest.approx(np.log(6000), rel=1e-14)
    across = minibatch_bounds(vae, "diagonal", **sizes)
    assert across.between == np.inf and across.mutual_information == pytest.approx(np.log(300), rel=1e-14)


def test_a_precise_code_has_an_infinite_scale():
    vae, covariance = single(1e4)
    assert minibatch_scale(vae, covariance) == np.inf


def test_misuse_is_refused():
    vae, covariance = code()
    for *sizes, refusal in [(300, 1, ">= 2, got 1; pass 2 or more"), (10, 11, "from 2 to dataset_size, got 11 of 10")]:
        with pytest.raises(ValueError, match=f"batch_size must be {refusal}"):
            minibatch_bias(vae, covariance, PAIRS, dataset_size=sizes[0], batch_size=sizes[1])
    with pytest.raises(ValueError, match=r"estimator must be one of 'weighted', 'stratified', .*, got 'plain'"):
        minibatch_bounds(vae, PAIRS, dataset_size=30, batch_size=11, estimator="plain")
    with pytest.raises(ValueError, match="covariance must be"):
        minibatch_scale(vae, np.eye(3))
    with pytest.raises(ValueError, match="dataset_size must be"):
        minibatch_offset(PAIRS, 4, 0)


def test_the_bias_says_where_it_holds():
    """A scale of 4.8e5 against a minibatch of 64: the formula would say -.41 where the truth is about -.10."""
    vae, covariance = single(6.0)
    found = minibatch_bias(vae, covariance, "full", dataset_size=10_000, batch_size=64)
    assert found.scale == minibatch_scale(vae, covariance) > 64 and not found.in_range
    weak = minibatch_bias(*single(0.1), "full", dataset_size=10_000, batch_size=64)
    assert weak.scale < 2 and weak.in_range
    offset = minibatch_offset(PAIRS, 4, 300)
    assert offset.scale == 1 and offset.in_range  # exact for any size
    with pytest.raises(ValueError, match="vae carries so much information"):
        minibatch_bias(*single(1e4), "full", dataset_size=10_000, batch_size=64)


def test_nearly_dependent_posteriors_have_a_scale():
    """Signal along (1, 1) in noise that is nearly dependent: s = 1, though the sum is singular up to rounding."""
    posterior = np.array([[1.0, 1 - 1e-14], [1 - 1e-14, 1.0]])
    vae = LinearVAE(np.eye(2), np.array([[1.0, 0.0], [1.0, 0.0]]), posterior, 0.1)
    assert minibatch_scale(vae, np.eye(2)) == pytest.approx(np.e * np.sqrt(2), rel=1e-10)
    found = minibatch_bias(vae, np.eye(2), "diagonal", dataset_size=1000, batch_size=100)
    # exp(2 I) - 1 = 1 for both latents together and for each alone
    assert found.dimension_wise_kl == pytest.approx(-2 * found.mutual_information, rel=1e-10)


def test_a_vae_without_noise_is_told():
    with pytest.raises(ValueError, match="vae must be a LinearVAE, got None: the noise ran to zero"):
        minibatch_scale(None, np.eye(2))


def test_the_fixed_column_has_the_sign_of_the_weighted_estimator():
    """Its bracket is the mean over codes of w - 1/2 sum w_j^2, here entry by entry; the stratified one is negative."""
    vae, covariance = code()
    sizes = {"dataset_size": 5000, "batch_size": 20}
    weights = np.full((20, 20), 1 / 19)
    weights[:, 0], weights[:, 1] = 1 / 5000, (5000 - 19) / (5000 * 19)
    weights[18, 0] = (5000 - 19) / (5000 * 19)
    weights /= weights.sum(axis=1, keepdims=True)
    own = np.diagonal(weights)
    bracket = np.mean(own - (np.sum(weights**2, axis=1) - own**2) / 2)
    found = {
        name: minibatch_bias(vae, covariance, PAIRS, estimator=name, **sizes)
        for name in ("weighted", "stratified", "unnormalised", "fixed-column")
    }
    bias = {name: parts.mutual_information for name, parts in found.items()}
    bias["weighted"] -= np.log(5000)
    bias["unnormalised"] += np.log(20)
    assert bias["weighted"] == pytest.approx(bias["unnormalised"], rel=1e-12)
    stratified = 1 / 5000 - (1 - 1 / 5000) ** 2 / (2 * 19)
    sums = np.log(1 - 1 / 5000 + (5000 - 19) / (5000 * 19)) / 20  # of the weights of one code in twenty
    assert bias["fixed-column"] + sums == pytest.approx(bias["stratified"] * bracket / stratified, rel=1e-9)
    assert bias["fixed-column"] < 0 < bias["stratified"] and bias["weighted"] < 0
