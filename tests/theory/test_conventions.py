"""Every loss that people write, minimised as it is written by SciPy: the eigenvalues above the water level survive."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from theory import convention, kl_weight, optimum
from theory.conventions import KL_REDUCTIONS, RECONSTRUCTIONS

EIGENVALUES, LATENT_DIM, LEVEL = np.array([4.0, 2.0, 0.9, 0.45, 0.2]), 4, 0.3
DATA_DIM = len(EIGENVALUES)

# The other term of one observation, from its squared error E and a noise n: what the table of the module says in words.
WRITTEN = {
    "nll": lambda error, n: error / (2 * n) + DATA_DIM / 2 * np.log(2 * np.pi * n),
    "nll-mean": lambda error, n: (error / (2 * n) + DATA_DIM / 2 * np.log(2 * np.pi * n)) / DATA_DIM,
    "half-sum": lambda error, n: error / 2,
    "sum": lambda error, n: error,
    "half-mean": lambda error, n: error / 2 / DATA_DIM,
    "mean": lambda error, n: error / DATA_DIM,
}
KL = {"sum": lambda kl: kl, "mean": lambda kl: kl / LATENT_DIM, "norm": lambda kl: kl * DATA_DIM / LATENT_DIM}
BATCH = 7  # of observations


def trained(loss, learned=False) -> tuple[np.ndarray, float]:
    """Squared singular values of the decoder, and the noise, where `loss(error, kl, noise)` is least."""
    half = DATA_DIM * LATENT_DIM

    def value(point):
        decoder, encoder = point[:half].reshape(DATA_DIM, LATENT_DIM), point[half : 2 * half].reshape(LATENT_DIM, -1)
        variances = np.exp(point[2 * half : 2 * half + LATENT_DIM])
        left = (np.eye(DATA_DIM) - decoder @ encoder) * np.sqrt(EIGENVALUES)
        error = np.sum(left**2) + np.sum(decoder**2 * variances)
        means = np.sum(encoder**2 * EIGENVALUES, axis=1)
        kl = np.sum(means + variances - 1 - np.log(variances)) / 2
        return loss(error, kl, np.exp(point[-1]) if learned else None)

    start = np.random.default_rng(0).standard_normal(2 * half + LATENT_DIM + learned) / 2
    end = minimize(value, start, method="L-BFGS-B", options={"maxiter": 5000, "maxfun": 10**6, "ftol": 0, "gtol": 1e-9})
    decoder = end.x[:half].reshape(DATA_DIM, LATENT_DIM)
    return np.linalg.svd(decoder, compute_uv=False) ** 2, float(np.exp(end.x[-1]))


@pytest.mark.parametrize("reconstruction", RECONSTRUCTIONS)
@pytest.mark.parametrize("kl", KL_REDUCTIONS)
def test_training_with_the_loss_as_it_is_written_ends_at_the_water_level(reconstruction, kl):
    noise = 0.5 if reconstruction.startswith("nll") else None
    options = {"reconstruction": reconstruction, "data_dim": DATA_DIM, "kl": kl, "latent_dim": LATENT_DIM}
    beta = LEVEL if noise is None else LEVEL / noise
    weight = kl_weight(beta, **options, noise_variance=noise)
    weights, _ = trained(lambda error, rate, _: WRITTEN[reconstruction](error, noise) + weight * KL[kl](rate))
    np.testing.assert_allclose(weights, EIGENVALUES[:LATENT_DIM] - LEVEL, atol=1e-4)
    found = convention(weight, **options, noise_variance=noise)
    assert found.water_level == pytest.approx(LEVEL, rel=1e-15)
    assert found.beta == pytest.approx(beta, rel=1e-15)


@pytest.mark.parametrize("reconstruction", ["nll", "nll-mean"])
def test_a_learned_noise_has_a_beta_and_no_water_level(reconstruction):
    options = {"reconstruction": reconstruction, "data_dim": DATA_DIM, "noise_variance": "learned"}
    weight = kl_weight(1.3, **options)
    weights, noise = trained(lambda error, rate, n: WRITTEN[reconstruction](error, n) + weight * rate, learned=True)
    found = convention(weight, **options)
    assert found.water_level is None
    assert found.noise_variance == "learned"
    best = optimum(np.diag(EIGENVALUES), LATENT_DIM, beta=found.beta)
    np.testing.assert_allclose(weights, np.linalg.svd(best.vae.decoder, compute_uv=False) ** 2, atol=1e-4)
    assert noise == pytest.approx(best.noise_variance, rel=1e-5)


@pytest.mark.parametrize(
    ("reconstruction", "written"),
    [
        ("mean", lambda errors, kls, b: errors.mean() / DATA_DIM + b * kls.sum()),
        ("half-mean", lambda errors, kls, b: errors.mean() / DATA_DIM / 2 + b * kls.sum()),
        ("nll-mean", lambda errors, kls, b: errors.mean() / DATA_DIM / 2 / 0.5 + b * kls.sum()),
        ("sum", lambda errors, kls, b: errors.sum() + b * kls.mean()),
        ("half-sum", lambda errors, kls, b: errors.sum() / 2 + b * kls.mean()),
        ("nll", lambda errors, kls, b: errors.sum() / 2 / 0.5 + b * kls.mean()),
    ],
)
def test_one_term_summed_over_the_batch_and_the_other_averaged(reconstruction, written):
    """Every observation has the expected error and KL here, which is what batches have on average."""
    options = {"reconstruction": reconstruction, "data_dim": DATA_DIM, "batch_size": BATCH}
    noise = 0.5 if reconstruction.startswith("nll") else None
    weight = kl_weight(LEVEL / (noise or 1), **options, noise_variance=noise)
    weights, _ = trained(lambda error, rate, _: written(np.full(BATCH, error), np.full(BATCH, rate), weight))
    np.testing.assert_allclose(weights, EIGENVALUES[:LATENT_DIM] - LEVEL, atol=1e-4)


def test_published_numbers():
    options = {"data_dim": 5, "latent_dim": 4}
    for reconstruction, kl, weight, noise in [
        ("half-sum", "sum", 0.3, None),
        ("sum", "sum", 0.6, None),
        ("mean", "sum", 0.12, None),
        ("half-mean", "sum", 0.06, None),
        ("mean", "mean", 0.48, None),
        ("nll-mean", "sum", 0.12, 0.5),
        ("nll", "norm", 0.8, 0.3),
    ]:
        found = convention(weight, reconstruction=reconstruction, kl=kl, noise_variance=noise, **options)
        assert found.water_level == pytest.approx(0.3, rel=1e-15)
    question = convention(0.00025, reconstruction="mean", data_dim=12288)
    assert (question.water_level, question.beta) == (1.536, 1.536)
    assert convention(0.00025, reconstruction="mean", data_dim=12288, noise_variance=0.5).beta == 3.072


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kl_weight": 0}, "kl_weight must be > 0"),
        ({"kl_weight": np.nan}, "kl_weight"),
        ({"reconstruction": "bce"}, "reconstruction must be"),
        ({"reconstruction": ["mean"]}, "reconstruction must be"),
        ({"data_dim": 0}, "data_dim must be >= 1"),
        ({"data_dim": 2.5}, "data_dim"),
        ({"kl": "batchmean"}, "kl must be"),
        ({"kl": "mean"}, "latent_dim must be given"),
        ({"kl": "norm", "latent_dim": 0}, "latent_dim must be >= 1"),
        ({"batch_size": 0}, "batch_size must be >= 1"),
        ({"noise_variance": "learned"}, "a squared error has no noise to learn"),
        ({"noise_variance": "free"}, "noise_variance"),
        ({"noise_variance": 0.0}, "noise_variance must be > 0"),
        ({"reconstruction": "nll"}, "noise_variance must be given"),
        ({"reconstruction": "nll", "noise_variance": -1.0}, "noise_variance must be > 0"),
        ({"kl_weight": 1e-90, "noise_variance": 1e90}, "must be between"),
    ],
)
def test_what_does_not_fit_is_refused(changes, words):
    arguments = {"kl_weight": 1.0, "reconstruction": "mean", "data_dim": 3} | changes
    with pytest.raises((ValueError, TypeError), match=words):
        convention(**arguments)
