"""NumPy's gradients, written by hand, against differences of the definition; its path against that of training here."""

from __future__ import annotations

import numpy as np
import pytest

from numerics import train
from numerics.bench import numpy_peer, ours, tables
from numerics.bench.problem import Parameters
from theory import LinearVAE, elbo_terms

BETA = 1.7


def solve(peer, kind, task):
    (contestant,) = getattr(peer, kind)(task)
    return Parameters(*contestant.read(contestant.run()))


def random_parameters(rng, data_dim, latent_dim):
    maps = rng.standard_normal((2, data_dim, latent_dim))
    return Parameters(maps[0], maps[1], 0.3 * rng.standard_normal(latent_dim), rng.standard_normal())


def full_batch_loss(parameters, task):
    decoder, encoder, log_scales, log_noise = parameters
    variances = np.diag(np.exp(2 * log_scales))
    vae = LinearVAE(decoder, encoder.T / np.sqrt(task.eigenvalues), variances, np.exp(log_noise))
    return elbo_terms(vae, np.diag(task.eigenvalues)).loss(task.betas[0])


def minibatch_loss(parameters, task):
    """Row by row, from the densities; each code is drawn about its posterior mean."""
    decoder, encoder, log_scales, log_noise = parameters
    indices, noise = task.draw()
    data_dim, total = len(decoder), 0.0
    for row, standard in zip(task.rows[indices[0]], noise[0].T, strict=True):
        mean = encoder.T @ row
        error = row - decoder @ (mean + np.exp(log_scales) * standard)
        total += error @ error / (2 * np.exp(log_noise)) + data_dim / 2 * np.log(2 * np.pi * np.exp(log_noise))
        total += task.beta * sum((m**2 + np.exp(2 * s) - 1) / 2 - s for m, s in zip(mean, log_scales, strict=True))
    return total / len(indices[0])


def differences(loss, start, task):
    """Central differences of the loss in every parameter."""
    slopes = []
    for place, value in enumerate(start):
        slope = np.empty(np.shape(value))
        for at in np.ndindex(slope.shape):
            ends = []
            for move in (1e-5, -1e-5):
                moved = np.array(value)
                moved[at] += move
                ends.append(loss(start._replace(**{start._fields[place]: moved}), task))
            slope[at] = (ends[0] - ends[1]) / 2e-5
        slopes.append(slope)
    return slopes


@pytest.mark.parametrize("kind", ["descent", "minibatch"])
def test_hand_written_gradient(kind):
    rng = np.random.default_rng(5)
    start = random_parameters(rng, 4, 3)
    if kind == "descent":
        task, loss = tables.descent(4, 3, 1, (BETA,)), full_batch_loss
        gradient = numpy_peer.full_batch_gradient(task)
    else:
        task, loss = tables.minibatch_descent(4, 3, 1), minibatch_loss
        gradient = numpy_peer.minibatch_gradient(task)
    maps = np.stack(start[:2])
    slopes = np.empty((2, 4, 3)), np.empty(3), np.empty(())
    gradient(0, (maps, start.log_scales, np.array(start.log_noise)), slopes)
    wanted = differences(loss, start, task)
    found = [*slopes[0], *slopes[1:]]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)  # of the differences


def test_one_run_takes_the_path_of_train():
    task = tables.descent(5, 3, 100, (BETA,), (7,))
    found, wanted = solve(numpy_peer, "descent", task), solve(ours, "descent", task)
    assert np.abs(wanted.decoder - task.start.decoder).max() > 0.1
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-8)


def test_one_run_of_ours_is_train():
    task = tables.descent(5, 3, 100, (BETA,), (7,))
    options = {"method": "adam", "learning_rate": 0.01, "gradient_tolerance": 1e-300, "max_steps": 100}
    run = train(np.diag(task.eigenvalues), 3, beta=BETA, rng=np.random.default_rng(7), **options)
    found = solve(ours, "descent", task)
    np.testing.assert_array_equal(found.decoder, run.vae.decoder)
    assert found.log_noise == np.log(run.vae.noise_variance)
    assert run.steps == 100


def test_many_runs_take_the_paths_of_sweep():
    task = tables.descent(5, 3, 60, (0.5, 2.0), (1, 4, 2))
    found, wanted = solve(numpy_peer, "descent", task), solve(ours, "descent", task)
    assert found.decoder.shape == (6, 5, 3)
    assert found.log_noise.shape == (6,)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-8)
    single = solve(numpy_peer, "descent", tables.descent(5, 3, 60, (2.0,), (4,)))  # beta 2 and seed 4: the fifth run
    np.testing.assert_allclose(single.decoder, found.decoder[4], rtol=0, atol=1e-12)


def test_minibatches_take_the_path_of_ours():
    task = tables.minibatch_descent(5, 3, 60)
    found, wanted = solve(numpy_peer, "minibatch", task), solve(ours, "minibatch", task)
    assert np.abs(wanted.decoder - task.start.decoder).max() > 0.1
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-8)


def test_minibatches_come_near_the_full_batch(monkeypatch):
    """In loss, of data that are white already, so that both know the encoder by the same coordinates."""
    monkeypatch.setattr(tables, "eigenvalues", np.ones)
    whole = tables.descent(4, 2, 200)
    ends = solve(numpy_peer, "descent", whole), solve(numpy_peer, "minibatch", tables.minibatch_descent(4, 2, 200))
    start, full, sampled = (full_batch_loss(parameters, whole) for parameters in (whole.start, *ends))
    assert abs(sampled - full) < 0.02 < 0.5 < start - full
