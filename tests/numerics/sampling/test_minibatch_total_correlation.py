"""Minibatch estimates against a plain loop over the definition, exact identities between them, and theory."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import numerics.sampling.minibatch_total_correlation as module
from numerics.sampling.minibatch_total_correlation import sample_minibatch_bias, sample_minibatch_terms
from theory import LinearVAE, Moments
from theory.groups import grouped_terms, minibatch_bias, minibatch_bounds, minibatch_scale
from theory.groups.minibatch import ESTIMATORS, IN_PUBLIC_CODE

PAIRS = [[0, 1], [2, 3]]
SIZES = {"dataset_size": 50, "batch_size": 6}
ALL = (*ESTIMATORS, *IN_PUBLIC_CODE)


def code(size=0.3, full=True, mean=None):
    rng = np.random.default_rng(1)
    roots = rng.standard_normal((2, 5, 5))
    posterior = roots[0, :4] @ roots[0, :4].T / 4 if full else np.kron(np.eye(2), [[0.5, 0.2], [0.2, 0.8]])
    encoder = size * rng.standard_normal((4, 5))
    return LinearVAE(encoder.T, encoder, posterior, 0.5, mean), roots[1] @ roots[1].T


def numbers(found):
    parts = [found.mutual_information, found.between, *found.within, found.dimension_wise_kl]
    return np.array([part.value for part in parts])


def test_a_loop_over_the_definition(monkeypatch):
    vae, covariance = code()
    drawn = []
    draw = module._draw

    def kept(*arguments):
        for means, codes in draw(*arguments):
            drawn.extend(zip(means, codes, strict=True))
            yield means, codes

    monkeypatch.setattr(module, "_draw", kept)
    found = sample_minibatch_terms(vae, covariance, PAIRS, batches=3, rng=np.random.default_rng(2), **SIZES)
    size, batch = SIZES.values()
    for name in ("weighted", "stratified"):
        values = []
        for means, codes in drawn:
            for i in range(batch):

                def log_aggregate(latents, i=i, means=means, codes=codes, name=name):
                    total, block = 0.0, vae.posterior_covariance[np.ix_(latents, latents)]
                    for j in range(batch):
                        own = 1 / size if i == j else (size - 1) / size / (batch - 1)
                        weight = 1 / size / batch if name == "weighted" else own
                        total += weight * multivariate_normal.pdf(codes[i, latents], means[j, latents], block)
                    return np.log(total)

                conditional = multivariate_normal.logpdf(codes[i], means[i], vae.posterior_covariance)
                whole, pairs = log_aggregate([0, 1, 2, 3]), [log_aggregate(pair) for pair in PAIRS]
                singles = [log_aggregate([latent]) for latent in range(4)]
                values.append(
                    [
                        conditional - whole,
                        whole - sum(pairs),
                        pairs[0] - sum(singles[:2]),
                        pairs[1] - sum(singles[2:]),
                        sum(singles) - multivariate_normal.logpdf(codes[i], np.zeros(4)),
                    ]
                )
        np.testing.assert_allclose(numbers(found[name]), np.mean(values, axis=0), rtol=1e-10)
        by_batch = np.mean(np.reshape(values, (3, batch, 5)), axis=1)
        assert found[name].between.standard_error == pytest.approx(by_batch[:, 1].std(ddof=1) / np.sqrt(3), rel=1e-10)


def test_the_law_of_what_is_drawn():
    vae, covariance = code()
    offset = np.arange(5.0)
    drawn = module._draw(vae, covariance, offset, 10, 5000, np.random.default_rng(3))
    means, codes = map(np.concatenate, zip(*drawn, strict=True))
    centred = (means - vae.encoder @ offset).reshape(-1, 4)
    noise = (codes - means).reshape(-1, 4)
    np.testing.assert_allclose(centred.T @ centred / 50_000, vae.encoder @ covariance @ vae.encoder.T, atol=0.15)
    np.testing.assert_allclose(noise.T @ noise / 50_000, vae.posterior_covariance, atol=0.1)
    np.testing.assert_allclose(centred.T @ noise / 50_000, 0, atol=0.1)


def test_less_the_exact_densities_it_is_the_bias():
    """Over many draws estimate less bias is the exact value of every part, also with a mean."""
    vae, covariance = code(mean=np.zeros(5))
    moments = Moments(100, 0.4 * np.ones(5), covariance)
    exact = grouped_terms(vae, moments, PAIRS)
    exact = [exact.mutual_information, exact.between, *exact.within, exact.dimension_wise_kl]
    draws = {"batches": 4000, **SIZES}
    found = sample_minibatch_terms(vae, moments, PAIRS, rng=np.random.default_rng(4), **draws)
    bias = sample_minibatch_bias(vae, moments, PAIRS, rng=np.random.default_rng(4), **draws)
    for name, estimate in found.items():
        np.testing.assert_allclose(numbers(estimate) - numbers(bias[name]), exact, atol=0.1)


def test_minibatches_are_drawn_in_blocks(monkeypatch):
    vae, covariance = code()
    shapes = [len(means) for means, _ in module._draw(vae, covariance, np.zeros(5), 6, 5, np.random.default_rng(4))]
    monkeypatch.setattr(module, "DRAWN", 80)  # two minibatches of 36 pairs
    blocks = [len(means) for means, _ in module._draw(vae, covariance, np.zeros(5), 6, 5, np.random.default_rng(4))]
    assert shapes == [5] and blocks == [2, 2, 1]
    monkeypatch.setattr(module, "TOGETHER", 40)  # one of them
    single = [len(means) for means, _ in module._draw(vae, covariance, np.zeros(5), 6, 5, np.random.default_rng(4))]
    assert single == [1] * 5
    found = sample_minibatch_bias(vae, covariance, PAIRS, batches=5, rng=np.random.default_rng(4), **SIZES)
    assert np.all(np.isfinite(numbers(found["weighted"])))


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("smallest", [0.0, np.inf])
def test_products_of_exponentials_and_sums_by_logarithms_are_equal(full, smallest, monkeypatch):
    """Also where a code is far from the other points, and where the points of a minibatch come in parts."""
    vae, covariance = code(size=1.5, full=full)
    stated = sample_minibatch_terms(
        vae, covariance, PAIRS, batches=3, rng=np.random.default_rng(9), **SIZES, estimators=ALL
    )
    monkeypatch.setattr(module, "SMALLEST", smallest)
    monkeypatch.setattr(module, "CACHED", 40)
    found = sample_minibatch_terms(
        vae, covariance, PAIRS, batches=3, rng=np.random.default_rng(9), **SIZES, estimators=ALL
    )
    for name, estimate in stated.items():
        np.testing.assert_allclose(numbers(found[name]), numbers(estimate), rtol=1e-12)


def test_a_code_so_precise_that_every_exponential_underflows():
    vae, covariance = code(full=False)
    precise = LinearVAE(vae.decoder, vae.encoder, 1e-12 * vae.posterior_covariance, 0.5)
    found = sample_minibatch_terms(
        precise, covariance, PAIRS, batches=3, rng=np.random.default_rng(10), **SIZES, estimators=ALL
    )
    own = -np.log(np.diagonal(fixed_column(**SIZES))).mean()  # of the own points, each of which is all that counts
    for name, estimate in found.items():
        bound = minibatch_bounds(precise, PAIRS, estimator=name, **SIZES).between
        reached = own if name == "fixed-column" else bound
        assert estimate.between.value == pytest.approx(reached, rel=1e-12) and reached <= bound


def test_latents_in_independent_blocks():
    chain = np.array([[1.0, 0.5, 0.0, 0.0], [0.5, 1.0, 0.5, 0.0], [0.0, 0.5, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    assert module._independent_blocks(chain, (0, 1, 2, 3)) == [(0, 1, 2), (3,)]
    assert module._independent_blocks(chain, (0, 2, 3)) == [(0,), (2,), (3,)]


def test_the_sum_of_the_parts_does_not_depend_on_the_estimator():
    vae, covariance = code()
    found = sample_minibatch_terms(
        vae, covariance, PAIRS, batches=5, rng=np.random.default_rng(5), **SIZES, estimators=ALL
    )
    sums = [numbers(part).sum() for part in found.values()]
    np.testing.assert_allclose(sums, sums[0], rtol=1e-12)
    bias = sample_minibatch_bias(
        vae, covariance, PAIRS, batches=5, rng=np.random.default_rng(5), **SIZES, estimators=ALL
    )
    assert all(numbers(part).sum() == pytest.approx(0, abs=1e-12) for part in bias.values())


def test_a_minibatch_of_the_whole_data_set():
    """With N = M both have equal weights: they differ by the offset, exactly."""
    vae, covariance = code()
    found = sample_minibatch_terms(
        vae, covariance, PAIRS, dataset_size=7, batch_size=7, batches=4, rng=np.random.default_rng(6)
    )
    apart = numbers(found["weighted"]) - numbers(found["stratified"])
    np.testing.assert_allclose(apart, np.log(7) * np.array([1, 1, 1, 1, -4]), rtol=1e-10)


def fixed_column(dataset_size: int, batch_size: int) -> np.ndarray:
    """The weights in public code, entry by entry: row a code, column a point."""
    size, others = dataset_size, batch_size - 1
    weights = np.full((batch_size, batch_size), 1 / others)
    weights[:, 0], weights[:, 1] = 1 / size, (size - others) / (size * others)
    weights[others - 1, 0] = (size - others) / (size * others)
    return weights


@pytest.mark.parametrize("batch_size", [2, 3, 6])
def test_what_public_code_computes(batch_size):
    """Both estimators of one minibatch from densities in a double loop."""
    vae, covariance = code()
    sizes = {"dataset_size": 50, "batch_size": batch_size}
    found = sample_minibatch_terms(
        vae, covariance, PAIRS, batches=2, rng=np.random.default_rng(3), **sizes, estimators=ALL
    )
    (means, codes), *_ = module._draw(vae, covariance, np.zeros(5), batch_size, 2, np.random.default_rng(3))
    for name, weights in (("unnormalised", np.ones((batch_size,) * 2)), ("fixed-column", fixed_column(**sizes))):
        informations = []
        for batch in range(2):
            for i in range(batch_size):
                law = [
                    multivariate_normal.pdf(codes[batch, i], means[batch, j], vae.posterior_covariance)
                    for j in range(batch_size)
                ]
                informations.append(np.log(law[i]) - np.log(weights[i] @ law))
        assert found[name].mutual_information.value == pytest.approx(np.mean(informations), rel=1e-10)


def test_the_offset_of_the_unnormalised_one_is_exact():
    vae, covariance = code()
    found = sample_minibatch_terms(
        vae, covariance, PAIRS, batches=4, rng=np.random.default_rng(6), **SIZES, estimators=ALL
    )
    apart = numbers(found["weighted"]) - numbers(found["unnormalised"])
    sizes = np.log(SIZES["dataset_size"] * SIZES["batch_size"])
    np.testing.assert_allclose(apart, sizes * np.array([1, 1, 1, 1, -4]), rtol=1e-10)


def test_one_group_and_a_code_that_says_nothing():
    vae, covariance = code()
    found = sample_minibatch_terms(vae, covariance, "full", batches=4, rng=np.random.default_rng(7), **SIZES)
    assert all(part.between.value == 0 for part in found.values())
    idle = LinearVAE(np.zeros((5, 4)), np.zeros((4, 5)), np.diag([1.0, 2.0, 0.5, 1.0]), 0.5)
    found = sample_minibatch_terms(idle, covariance, PAIRS, batches=4, rng=np.random.default_rng(8), **SIZES)
    np.testing.assert_allclose(numbers(found["stratified"])[:4], 0, atol=1e-12)
    np.testing.assert_allclose(numbers(found["weighted"])[:4], np.log(50), rtol=1e-12)


def test_the_same_draws_for_the_same_seed():
    vae, covariance = code()
    runs = [
        sample_minibatch_terms(vae, covariance, PAIRS, batches=4, rng=np.random.default_rng(9), **SIZES)
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("size", [0.3, 3.0, 100.0])
def test_no_estimate_exceeds_its_bound(size):
    vae, covariance = code(size, full=False)
    found = sample_minibatch_terms(
        vae, covariance, PAIRS, batches=200, rng=np.random.default_rng(10), **SIZES, estimators=ALL
    )
    for name, parts in found.items():
        bounds = minibatch_bounds(vae, PAIRS, estimator=name, **SIZES)
        for part in ("mutual_information", "between"):
            estimate = getattr(parts, part).value
            assert estimate <= getattr(bounds, part) + 1e-9
            if size == 100.0 and name != "fixed-column":  # most of its own points have another weight
                assert estimate > getattr(bounds, part) - 0.1
    assert grouped_terms(vae, covariance, PAIRS).between < np.log(50)


def test_the_bias_of_the_theory():
    """Where the leading order is enough; half of it or none is refused."""
    vae, covariance = code(0.15, full=False)[0], np.eye(5)
    sizes = {"dataset_size": 800, "batch_size": 40}
    next_order = 2 * minibatch_scale(vae, covariance) / 40  # relative to the leading one
    assert next_order < 0.1
    bias = sample_minibatch_bias(
        vae, covariance, PAIRS, batches=20_000, rng=np.random.default_rng(11), **sizes, estimators=ALL
    )
    for name, found in bias.items():
        predicted = minibatch_bias(vae, covariance, PAIRS, estimator=name, **sizes)
        sums = np.log(fixed_column(**sizes).sum(axis=1)).mean()
        offset = {"weighted": np.log(800), "unnormalised": -np.log(40), "fixed-column": -sums}.get(name, 0.0)
        for part, shift in (("mutual_information", offset), ("between", offset), ("dimension_wise_kl", -4 * offset)):
            estimate, formula = getattr(found, part), getattr(predicted, part) - shift
            allowed = 4 * estimate.standard_error + next_order * abs(formula)
            assert abs(estimate.value - shift - formula) < allowed < abs(formula) / 2


def test_below_the_scale_the_formula_says_too_much():
    vae = LinearVAE(np.eye(4), np.eye(4), np.eye(4), 1.0)
    covariance, sizes = 2 * np.eye(4), {"dataset_size": 10_000, "batch_size": 160}
    assert minibatch_scale(vae, covariance) == pytest.approx(9 * np.exp(8), rel=1e-12)  # and exp(2 I) is 81
    found = sample_minibatch_bias(vae, covariance, PAIRS, batches=50, rng=np.random.default_rng(12), **sizes)
    ratio = (
        found["stratified"].mutual_information.value
        / minibatch_bias(vae, covariance, PAIRS, **sizes).mutual_information
    )
    assert 0.1 < ratio < 0.6


def test_misuse_is_named():
    vae, covariance = code()
    rng = np.random.default_rng(0)
    for *sizes, message in [(300, 1, ">= 2, got 1; pass 2 or more"), (10, 11, "from 2 to dataset_size, got 11 of 10")]:
        with pytest.raises(ValueError, match=f"batch_size must be {message}"):
            sample_minibatch_terms(
                vae, covariance, PAIRS, dataset_size=sizes[0], batch_size=sizes[1], batches=5, rng=rng
            )
    with pytest.raises(ValueError, match="batches must be >= 2, got 1; pass 2 or more"):
        sample_minibatch_bias(vae, covariance, PAIRS, batches=1, rng=rng, **SIZES)
    with pytest.raises(ValueError, match="covariance must be 5 x 5"):
        sample_minibatch_bias(vae, np.eye(3), PAIRS, batches=2, rng=rng, **SIZES)
