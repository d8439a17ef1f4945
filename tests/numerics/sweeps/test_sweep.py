"""Sweeps: the runs of `train`, many at a time, and nothing lost when they are interrupted."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from numerics import sweep, train
from numerics.kernels import descent
from numerics.sweeps import batches as batches_module
from tests.cases import DISTINCT
from theory import Moments, elbo_terms

BETAS = [0.5, 1.0, 2.0]


@pytest.mark.parametrize("method", ["accelerated", "gradient", "adam"])
@pytest.mark.parametrize("posterior", ["diagonal", [[0, 2], [1]]], ids=["diagonal", "groups"])
def test_each_run_is_the_one_of_train(method, posterior):
    options = {"posterior": posterior, "method": method, "max_steps": 300, "learning_rate": 0.02}
    swept = sweep(DISTINCT.covariance, 3, betas=BETAS, seeds=[7, 2], **options)
    assert swept.losses.shape == swept.gradient_norms.shape == swept.steps.shape == swept.stopped.shape == (3, 2)
    for row, beta in enumerate(BETAS):
        for column, seed in enumerate([7, 2]):
            run = train(DISTINCT.covariance, 3, beta=beta, rng=np.random.default_rng(seed), **options)
            vae = swept.vae(row, column)
            assert swept.losses[row, column] == run.loss
            assert swept.gradient_norms[row, column] == run.gradient_norm
            assert swept.steps[row, column] == run.steps
            assert swept.stopped[row, column] == run.stopped
            np.testing.assert_array_equal(vae.decoder, run.vae.decoder)
            np.testing.assert_array_equal(vae.encoder, run.vae.encoder)
            np.testing.assert_array_equal(vae.posterior_covariance, run.vae.posterior_covariance)
            assert vae.noise_variance == run.vae.noise_variance


def test_runs_of_a_size_for_the_linear_algebra_library_are_those_of_train_too():
    """A size at which its own threads would take sums in another order, were they not held to one."""
    covariance, options = np.diag(np.geomspace(3.0, 0.1, 256)), {"method": "adam", "max_steps": 3}
    with threadpool_limits(2, user_api="blas"):
        run = train(covariance, 65, beta=1.0, **options)
        swept = sweep(covariance, 65, betas=[1.0], **options)
    np.testing.assert_array_equal(swept.vae(0, 0).decoder, run.vae.decoder)


def test_known_decoder_and_fixed_noise_are_passed_on():
    decoder = np.random.default_rng(0).standard_normal((5, 2))
    moments = Moments(10, np.ones(5), DISTINCT.covariance)
    vae = sweep(moments, 2, betas=[1.5], noise_variance=0.3, decoder=decoder).vae(0, 0)
    np.testing.assert_array_equal(vae.decoder, decoder)
    np.testing.assert_array_equal(vae.mean, np.ones(5))
    assert vae.noise_variance == pytest.approx(0.3, rel=1e-15)


def test_best_is_the_run_of_lowest_loss():
    swept = sweep(DISTINCT.covariance, 3, betas=[1.5], seeds=4, max_steps=10)
    np.testing.assert_array_equal(swept.seeds, [0, 1, 2, 3])
    assert len(set(swept.losses[0])) == 4
    assert elbo_terms(swept.best(0), DISTINCT.covariance).loss(1.5) == pytest.approx(swept.losses.min(), abs=1e-12)


def interrupt(monkeypatch, *, before_batch):
    """Two runs a batch, and a keyboard interrupt just before the given one."""
    module = batches_module
    monkeypatch.setattr(module, "RUNS_PER_THREAD", 2)
    monkeypatch.setattr(module, "get_num_threads", lambda: 1)
    whole, calls = descent.descend_all, []

    def interrupted(*arguments, **outcomes):
        calls.append(len(arguments[0]))
        if len(calls) == before_batch:
            raise KeyboardInterrupt
        whole(*arguments, **outcomes)

    monkeypatch.setattr(descent, "descend_all", interrupted)
    return calls


def test_an_interrupt_keeps_what_was_finished(monkeypatch):
    full = sweep(DISTINCT.covariance, 3, betas=BETAS, seeds=2)
    assert not full.interrupted
    calls = interrupt(monkeypatch, before_batch=3)
    part = sweep(DISTINCT.covariance, 3, betas=BETAS, seeds=2)
    assert part.interrupted
    assert calls == [2, 2, 2]
    np.testing.assert_array_equal(part.losses[:2], full.losses[:2])
    assert np.isnan(part.losses[2]).all()
    assert np.isnan(part.gradient_norms[2]).all()
    assert (part.stopped[:2] == "gradient").all()
    assert (part.stopped[2] == "not run").all()
    np.testing.assert_array_equal(part.vae(1, 1).decoder, full.vae(1, 1).decoder)
    for ask in (lambda: part.vae(2, 0), lambda: part.best(2)):
        with pytest.raises(ValueError, match=r"the run of beta 2\.0 and seed 0 did not finish"):
            ask()


@pytest.mark.parametrize(("learning_rate", "overflowed"), [(1e3, 6), (1e4, 6), (1e6, 6), (1e300, 6), (100.0, None)])
def test_a_run_that_overflows_says_so(learning_rate, overflowed):
    """Where `train` raises, for the same arguments; the other runs are those of `train`."""
    options = {"method": "adam", "learning_rate": learning_rate, "max_steps": 50}
    found = sweep(np.diag([4.0, 2.0, 1.0, 0.5]), 2, betas=[1.0, 2.0], seeds=3, **options)
    failed = found.stopped == "overflowed"
    assert 0 < failed.sum() < 6 if overflowed is None else failed.sum() == overflowed
    assert not found.interrupted
    np.testing.assert_array_equal(np.isnan(found.losses), failed)
    np.testing.assert_array_equal(np.isnan(found.gradient_norms), failed)
    np.testing.assert_array_equal(np.isnan(found.parameters).any(axis=2), failed)
    for row, column in np.ndindex(2, 3):
        single = {"beta": found.betas[row], "rng": np.random.default_rng(column)} | options
        if failed[row, column]:
            with pytest.raises(ValueError, match="learning_rate must be small enough"):
                train(np.diag([4.0, 2.0, 1.0, 0.5]), 2, **single)
            with pytest.raises(ValueError, match=rf"beta {row + 1}\.0 and seed {column} overflowed; pass a smaller"):
                found.vae(row, column)
        else:
            assert train(np.diag([4.0, 2.0, 1.0, 0.5]), 2, **single).loss == found.losses[row, column]
    if failed[0].all():
        with pytest.raises(ValueError, match=r"beta 1\.0 and seed 0 overflowed"):
            found.best(0)


@pytest.mark.parametrize("index", [2, -3, 2**31, None, "0", 1.0, True, [0], np.zeros(1), 1j, object(), float("nan")])
def test_there_is_a_run_of_each_index_and_of_no_other(index):
    found = sweep(DISTINCT.covariance, 2, betas=[1.0, 2.0], seeds=2, max_steps=3)
    for ask in (lambda: found.vae(index, 0), lambda: found.best(index)):
        with pytest.raises(ValueError, match="beta_index must be"):
            ask()
    with pytest.raises(ValueError, match="seed_index must be"):
        found.vae(0, index)
    np.testing.assert_array_equal(found.vae(-1, -2).decoder, found.vae(1, 0).decoder)


def test_the_more_a_step_costs_the_smaller_are_the_batches(monkeypatch):
    module = batches_module
    monkeypatch.setattr(module, "get_num_threads", lambda: 1)
    sizes = []
    monkeypatch.setattr(descent, "descend_all", lambda *arguments, **_: sizes.append(len(arguments[0])))
    for data_dim, latent_dim, batches in (
        (64, 2, [8, 4]),
        (64, 8, [8, 4]),
        (64, 16, [4, 4, 4]),
        (300, 12, [1] * 12),
        (5, 0, [8, 4]),
    ):
        sizes.clear()
        sweep(np.eye(data_dim), latent_dim, betas=np.geomspace(0.1, 1, 12))
        assert sizes == batches


def test_progress_goes_to_stderr_and_only_if_wanted(capsys):
    sweep(DISTINCT.covariance, 2, betas=[1.0], progress=True)
    shown = capsys.readouterr()
    assert "1/1" in shown.err
    assert not shown.out
    for silent in (None, False):  # stderr is no terminal here
        sweep(DISTINCT.covariance, 2, betas=[1.0], progress=silent)
        assert capsys.readouterr() == ("", "")


def test_no_latents():
    assert sweep(DISTINCT.covariance, 0, betas=[1.0]).vae(0, 0).decoder.shape == (5, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"betas": [1.0, 0.0]}, "betas must be > 0 everywhere"),
        ({"betas": 1.0}, "betas must be a vector"),
        ({"betas": []}, "betas must hold at least 1, it holds 0"),
        ({"seeds": -1}, "seeds must be >= 1, got -1; pass a positive whole number"),
        ({"seeds": 0}, "seeds must be >= 1, got 0"),
        ({"seeds": []}, "seeds must hold at least 1, it holds 0"),
        ({"seeds": {0}}, "seeds must be a sequence"),
        ({"seeds": [0.5]}, "seeds must be a whole number"),
        ({"seeds": [2**63]}, f"seeds must be <= {2**63 - 1}"),
        ({"seeds": 10**12}, "seeds = 1000000000000 needs .* GiB, this machine has"),
        ({"latent_dim": 2**31}, "latent_dim = 2147483648 needs .* GiB, this machine has"),
        ({"progress": "yes"}, "progress must be True or False"),
        ({"file": 3}, "file must be a str or a PathLike"),
        ({"noise_variance": "lerned"}, "noise_variance must be a number or 'learned', got 'lerned'"),
        ({"method": "newton"}, "method must be one of"),
    ],
)
def test_misuse_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        sweep(**({"covariance": DISTINCT.covariance, "latent_dim": 3, "betas": BETAS} | changes))
