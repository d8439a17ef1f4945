"""Training on batches with sampled codes: where it ends, and that a seed repeats it."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from numerics import train, train_minibatch
from numerics.training.minibatch import BLOCK, _as_they_are, _blocks, ahead
from numerics.training.problem import training_problem
from theory import Moments, elbo_terms, optimum

DATA_DIM, BETA = 4, 1.7


def observations(count=300, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 2)) @ rng.standard_normal((2, DATA_DIM)) + 0.5 * rng.standard_normal((count, 4))


@pytest.mark.parametrize("posterior", ["diagonal", "full", [[0, 2], [1]]], ids=str)
def test_it_ends_near_the_optimum_the_nearer_the_smaller_its_steps(posterior):
    data = observations()
    moments = Moments.of(data)
    best = optimum(moments, 3, beta=BETA).loss
    excess = []
    for rate in (0.02, 0.002):
        run = train_minibatch(data, 3, beta=BETA, posterior=posterior, batch_size=50, steps=6000, learning_rate=rate)
        assert (run.stopped, run.steps, run.history.shape) == ("max_steps", 6000, (6000,))
        assert run.loss == pytest.approx(elbo_terms(run.vae, moments).loss(BETA), abs=1e-11)
        assert run.vae.belongs_to(posterior)
        excess.append(run.loss - best)
        last = run.history[-2000:]  # their parameters are about as far from the optimum as the last ones
        assert last.mean() - best == pytest.approx(0.0, abs=5 * last.std() / np.sqrt(2000) + 2 * excess[-1])
    assert 0 < excess[1] < 0.005
    assert excess[1] < excess[0] / 3


def test_what_is_fixed_stays_and_the_rest_fits_it():
    data, decoder = observations() + 3.0, np.random.default_rng(5).standard_normal((DATA_DIM, 2))
    moments = Moments.of(data)
    options = {"beta": BETA, "noise_variance": 0.7, "decoder": decoder}
    run = train_minibatch(data, 2, steps=6000, learning_rate=0.002, **options)
    np.testing.assert_array_equal(run.vae.decoder, decoder)
    np.testing.assert_array_equal(run.vae.mean, moments.mean)
    assert run.vae.noise_variance == pytest.approx(0.7, rel=1e-14)
    exact = train(moments, 2, **options)
    assert 0 < run.loss - exact.loss < 0.005
    np.testing.assert_allclose(run.vae.encoder, exact.vae.encoder, rtol=0, atol=0.03)


def test_gradient_norm_is_the_one_of_train():
    """Where the exact descent of `train` begins, both have the same model, hence the same loss and gradient."""
    data = observations()
    run = train_minibatch(data, 0, beta=BETA, steps=1)
    exact = train(Moments.of(data), 0, beta=BETA, noise_variance=run.vae.noise_variance, max_steps=0)
    assert run.loss == pytest.approx(exact.loss, abs=1e-12)
    slope = DATA_DIM / 2 - np.trace(Moments.of(data).covariance) / (2 * run.vae.noise_variance)
    assert run.gradient_norm == pytest.approx(abs(slope), abs=1e-12)
    settled = train_minibatch(data, 2, beta=BETA, steps=4000, learning_rate=0.001)
    assert settled.gradient_norm < train_minibatch(data, 2, beta=BETA, steps=0).gradient_norm / 10


def test_a_seed_repeats_a_run_on_any_number_of_threads():
    data = np.random.default_rng(6).standard_normal((400, 300))
    threads, runs = numba.get_num_threads(), []
    for count in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(count)
        with threadpool_limits(count, user_api="blas"):
            runs.append(train_minibatch(data, 32, beta=1.0, batch_size=256, steps=20, rng=np.random.default_rng(7)))
    numba.set_num_threads(threads)
    np.testing.assert_array_equal(runs[0].history, runs[1].history)
    for name in ("decoder", "encoder", "posterior_covariance", "noise_variance", "mean"):
        np.testing.assert_array_equal(getattr(runs[0].vae, name), getattr(runs[1].vae, name))
    assert runs[0].loss == pytest.approx(runs[1].loss, rel=1e-13)  # of the covariance, which a library adds up
    other = train_minibatch(data, 32, beta=1.0, batch_size=256, steps=20, rng=np.random.default_rng(8))
    assert other.history[0] != runs[0].history[0]


@pytest.mark.parametrize("seed", range(5))
def test_a_learned_noise_starts_at_the_mean_variance_exactly(seed):
    """At log noise 0 in its own unit, whatever the eigenvalues of the covariance sum to on this machine."""
    data = np.random.default_rng(seed).standard_normal((40, 300))
    start = train_minibatch(data, 0, beta=1.0, steps=0)
    centred = data - data.mean(axis=0)
    assert start.vae.noise_variance == pytest.approx(np.mean(centred**2), rel=1e-14)
    problem = training_problem(Moments.of(data), 0, "learned", None, "diagonal")
    assert _as_they_are(problem, 1.7, "learned").start(np.random.default_rng(0))[-1] == 0.0


def test_the_problem_of_the_steps_has_the_same_model_and_starts_at_the_same_parts():
    """In the coordinates of the data: the whole encoder is learned, and a fixed decoder is in the unit of the steps."""
    data, fixed = observations() * [1.0, 0.0, 2.0, 1.0], np.random.default_rng(5).standard_normal((4, 2))
    problem = training_problem(Moments.of(data), 2, 0.3, fixed, "full")
    own = _as_they_are(problem, 2.0, 0.3)
    assert not problem.mask[8:16].all() and own.mask[8:16].all() and not own.mask[:8].any()
    theta = own.start(np.random.default_rng(6), by_column=True)
    drawn = np.random.default_rng(6).standard_normal((2, 2, 4))[1] / 2  # the encoder, of standard deviation 1 / sqrt(D)
    vae = own.vae(theta)
    np.testing.assert_array_equal(vae.decoder, fixed)
    np.testing.assert_array_equal(vae.encoder, drawn / np.sqrt(2.0))
    assert vae.noise_variance == pytest.approx(0.3, rel=1e-15)
    np.testing.assert_allclose(theta[:8], (fixed.T / np.sqrt(2.0)).ravel(), rtol=1e-15)


def test_the_steps_do_not_see_the_linear_algebra_library(monkeypatch):
    """The same steps where the covariance, a product that it makes, comes out with another rounding."""
    data, options = observations(), {"beta": BETA, "steps": 30}
    run = train_minibatch(data, 2, **options)
    whole = Moments.of
    monkeypatch.setattr(
        Moments, "of", lambda data: replace(made := whole(data), covariance=made.covariance * (1 + 1e-9))
    )
    other = train_minibatch(data, 2, **options)
    np.testing.assert_array_equal(run.history, other.history)
    np.testing.assert_array_equal(run.vae.decoder, other.vae.decoder)
    assert run.loss != other.loss


def test_units_of_the_data_are_undone():
    small, large = (train_minibatch(scale * observations(), 2, beta=BETA, steps=200) for scale in (1.0, 1024.0))
    np.testing.assert_allclose(large.history, small.history + DATA_DIM * np.log(1024), rtol=0, atol=1e-11)
    np.testing.assert_allclose(large.vae.decoder, 1024 * small.vae.decoder, rtol=1e-11)
    assert large.loss == pytest.approx(small.loss + DATA_DIM * np.log(1024), abs=1e-11)


@pytest.mark.parametrize("count", [7, 100_000])
def test_every_pass_shows_every_observation_once(count):
    steps, batch_size, latent_dim = 3000, 50, 8
    blocks = list(_blocks(np.random.default_rng(0), count, steps, batch_size, latent_dim))
    assert len(blocks) > 1
    assert max(noise.size for _, noise in blocks) <= BLOCK
    picks, noise = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    assert (picks.shape, noise.shape) == ((steps, batch_size), (steps, latent_dim, batch_size))
    whole = picks.ravel()[: picks.size // count * count].reshape(-1, count)
    assert len(whole) > 0
    np.testing.assert_array_equal(np.sort(whole), np.tile(np.arange(count), (len(whole), 1)))
    assert not (whole == np.arange(count)).all(axis=1).all()


def test_items_madeahead_are_the_same_and_their_errors_are_raised():
    assert list(ahead(iter(range(4)))) == [0, 1, 2, 3]
    assert list(ahead(iter(()))) == []
    with pytest.raises(ZeroDivisionError):
        list(ahead(1 / number for number in (1, 0)))


def test_noise_that_runs_to_zero_is_reported():
    run = train_minibatch(np.ones((10, 3)), 0, beta=1.0, learning_rate=0.01, steps=20_000)
    assert run.stopped == "diverged"
    assert run.vae.noise_variance < 1e-6
    assert run.steps == len(run.history) < 20_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beta": 0.0}, "beta must be > 0"),
        ({"data": np.zeros(3)}, "data must be a matrix"),
        ({"data": np.zeros((1, 3))}, "data must have at least two rows"),
        ({"latent_dim": -1}, "latent_dim must be >= 0"),
        ({"noise_variance": 0.0}, "noise_variance must be > 0"),
        ({"batch_size": 0}, "batch_size must be > 0, got 0"),
        ({"steps": 0.5}, "steps must be a whole number"),
        ({"steps": 10**12}, "steps must be <= 1000000000"),
        ({"latent_dim": 2**31}, "latent_dim = 2147483648 needs .* GiB"),
        ({"data": 1e-200 * observations()}, "data must"),
        ({"data": 1e200 * observations()}, "(data|covariance) must"),
        ({"learning_rate": 0.0}, "learning_rate must be > 0"),
        ({"learning_rate": 1e3}, r"learning_rate must be small enough .* 1000\.0 overflowed"),
        ({"posterior": "mean field"}, "posterior must be"),
        ({"rng": 3.0}, "rng must be a numpy.random.Generator or a seed"),
    ],
)
def test_misuse_is_named(changes, message):
    arguments = {"data": observations(), "latent_dim": 2, "beta": BETA, "steps": 200} | changes
    with pytest.raises(ValueError, match=message):
        train_minibatch(arguments.pop("data"), arguments.pop("latent_dim"), **arguments)
