"""Training over group sizes: against the solver, and the theorem for learned decoders."""

from __future__ import annotations

import numpy as np
import pytest

import theory
from numerics import block_truth, granularity_map, train
from numerics.experiments.granularity import factor_errors
from theory.groups import Weights, correlated_prior_shift, equal_groups, granularity_errors, grouped_optimum

TRUTH = block_truth([2, 2, 2], 0.8, 0.1, 8)


@pytest.mark.parametrize("posterior", ["diagonal", "full", [[0, 1], [2, 3, 4, 5]]], ids=str)
@pytest.mark.parametrize("weights", [Weights.independence(8), Weights(1.3, 0.4, 2, 0.7)], ids=str)
def test_training_ends_at_a_minimum_of_the_solver(weights, posterior):
    """At the least one, but for one case of a weight below 1, where small starts end .012 nats above it."""
    for groups in ("diagonal", [[0, 1], [2, 3], [4, 5]], [[0, 3, 4], [1, 2, 5]]):
        best = grouped_optimum(TRUTH.loading, 0.1, TRUTH.covariance, weights, groups, posterior=posterior)
        run = train(
            TRUTH.covariance, 6, beta=weights, groups=groups, noise_variance=0.1, decoder=TRUTH.loading,
            posterior=posterior, rng=np.random.default_rng(3),
        )  # fmt: skip
        assert run.stopped == "gradient"
        if weights.between < 1 and posterior == "diagonal" and groups == [[0, 1], [2, 3], [4, 5]]:
            assert best.loss < run.loss - 0.01 and best.agreeing < best.starts
            best = grouped_optimum(
                TRUTH.loading, 0.1, TRUTH.covariance, weights, groups, posterior=posterior, start=run.vae
            )
            assert (best.starts, best.agreeing) == (1, 1) and best.least_curvature > 0
        assert run.loss == pytest.approx(best.loss, abs=1e-10)
        np.testing.assert_allclose(run.vae.encoder, best.vae.encoder, atol=1e-6)
        np.testing.assert_allclose(run.vae.posterior_covariance, best.vae.posterior_covariance, atol=1e-6)


def test_learned_noise_of_a_fixed_decoder():
    (run,) = granularity_map(TRUTH, betas=[5.0], sizes=[2], capacities=[4])
    best = grouped_optimum(
        TRUTH.loading[:, :4], "learned", TRUTH.covariance, Weights.independence(5), equal_groups(4, 2)
    )
    assert run.loss == pytest.approx(best.loss, abs=1e-10)
    assert run.vae.noise_variance == pytest.approx(best.vae.noise_variance, rel=1e-6)


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
def test_a_learned_decoder_does_not_mind(posterior):
    runs = granularity_map(
        TRUTH, betas=[1.0, 6.0], capacities=[3, 6], decoder="learned", posterior=posterior, seeds=2,
        gradient_tolerance=1e-9,
    )  # fmt: skip
    assert len(runs) == (3 + 6) * 2 * 2
    for run in runs:
        noise = 0.1 if run.capacity == 6 else "learned"
        plain = theory.optimum(TRUTH.covariance, run.capacity, noise_variance=noise)
        assert run.stopped == "gradient" and np.isnan(run.errors).all()
        assert run.loss == pytest.approx(plain.loss, abs=1e-10)
        assert run.elbo == pytest.approx(-plain.loss, abs=1e-7)


def test_a_correlated_prior_minds_groups_that_cut_it():
    """Each pair that is cut costs the closed-form shift of two latents; the W of a learned decoder."""
    runs = granularity_map(TRUTH, betas=[4.0], decoder="learned", prior="matched", posterior="full")
    plain = -runs[-1].elbo
    for run, cut in zip(runs, [3, 0, 1, 0, 1, 0], strict=True):
        assert run.loss - plain == pytest.approx(cut * correlated_prior_shift(0.8, 4.0), abs=1e-9)


def test_the_map_measures_what_it_says():
    (run,) = granularity_map(TRUTH, betas=[5.0], sizes=[3])
    exact = granularity_errors(TRUTH, [equal_groups(6, 3)], 5.0)[0]
    assert run.errors.sum() == pytest.approx(exact.mean_squared_error, abs=1e-8)
    assert run.elbo == pytest.approx(-theory.elbo_terms(run.vae, TRUTH.covariance).loss(1.0), abs=1e-12)
    assert run.loss > -run.elbo
    # The bound of the true model falls short of E log p(x) by the reverse divergence.
    sign, log_det = np.linalg.slogdet(2 * np.pi * np.e * TRUTH.covariance)
    assert sign == 1 and -log_det / 2 - run.matched_elbo == pytest.approx(exact.reverse_kl, abs=1e-6)
    rng = np.random.default_rng(0)
    factors, data = TRUTH.sample(100_000, rng)
    squares = (factors[:, :4] - data @ run.vae.encoder[:4].T) ** 2
    allowed = 5 * squares.std(axis=0) / np.sqrt(len(squares))
    assert (np.abs(squares.mean(axis=0) - run.errors[:4]) < allowed).all()
    fixed = theory.LinearVAE(TRUTH.loading[:, :4], run.vae.encoder[:4], np.eye(4), 0.1)
    np.testing.assert_allclose(factor_errors(TRUTH, fixed), run.errors[:4], atol=1e-13)


def test_full_capacity_has_its_best_bound_at_the_blocks():
    for blocks in ([2, 2, 2], [3, 3]):
        truth = block_truth(blocks, 0.8, 0.1, 8)
        runs = granularity_map(truth, betas=[10.0])
        assert max(runs, key=lambda run: run.matched_elbo).size == blocks[0]
        assert max(runs, key=lambda run: run.elbo).size == 6  # under N(0, I) no penalty is best, always


def test_complex_factors_need_large_groups():
    """Single latents as groups hurt factors the more the larger their block; groups as large as all blocks help all."""
    parts, ratios = (slice(4), slice(4, 6), slice(6, 8)), []
    for seed in range(3):
        truth = block_truth([4, 2, 1, 1], 0.8, 0.1, 10, rng=np.random.default_rng(seed))
        runs = granularity_map(truth, betas=[10.0], sizes=[1, 2, 4, 8])
        errors = np.array([[run.errors[part].mean() for part in parts] for run in runs])
        ratios.append(errors[:3] / errors[3])  # the last, one group, is without a penalty
    ones, twos, fours = np.mean(ratios, axis=0)
    assert ones[0] > ones[1] > ones[2] > 1
    assert twos[0] > 1.3 and (twos[1:] < 1.25).all() and (twos < ones).all()
    assert (np.array(ratios)[:, 2] < 1).all() and (fours < 1).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: granularity_map(TRUTH, betas=[1.0], sizes=[7]), "sizes must be from 1 to the number of factors, 6"),
        (lambda: granularity_map(TRUTH, betas=[1.0], capacities=[0]), "capacities must be from 1"),
        (lambda: granularity_map(TRUTH, betas=[-1.0]), "betas must be >= 0"),
        (
            lambda: granularity_map(TRUTH, betas=[1.0], seeds=0),
            "seeds must be >= 1, got 0; pass a positive whole",
        ),
        (lambda: train(np.eye(2), 2, beta=Weights(), groups=[[0]]), "groups must hold each latent"),
        (lambda: train(2 * np.eye(4), 2, beta=Weights(dimension_wise=-1)), "beta must leave the loss a lower bound"),
        (lambda: train(np.eye(2), 2, beta=1.0, prior=1e-320 * np.eye(2)), "prior must be positive definite"),
        (lambda: granularity_map(TRUTH, betas=[1.0], decoder="none"), "decoder must be one of"),
    ],
)
def test_misuse_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
