"""The code of a VAE: covariances, spectrum and regression, and which codes are refused."""

from __future__ import annotations

import numpy as np
import pytest

from tests.theory.scores.codes import linear
from theory import scores as room
from theory.inference import optimal_encoder
from theory.model import GenerativeModel, LinearVAE
from theory.scores.gaussian_code import GaussianCode


@pytest.mark.parametrize("code", ["mean", "sample"])
def test_code_of_a_vae(code):
    rng = np.random.default_rng(1)
    truth = GenerativeModel(rng.standard_normal((4, 2)), 0.3, [[1.0, 0.2], [0.2, 0.5]], mean=[1, 2, 3, 4])
    vae = optimal_encoder(rng.standard_normal((4, 3)), 0.5, 1.2)
    found = GaussianCode.of(truth, vae, code=code)
    factors, data = truth.sample(200_000, rng)
    codes = (data - truth.mean) @ vae.encoder.T
    if code == "sample":
        codes = codes + rng.standard_normal(codes.shape) @ np.linalg.cholesky(vae.posterior_covariance).T
    sampled = np.cov(factors.T, codes.T)
    exact = np.block(
        [[found.factor_covariance, found.cross_covariance], [found.cross_covariance.T, found.code_covariance]]
    )
    tolerance = 5 * np.sqrt((exact**2 + np.outer(np.diagonal(exact), np.diagonal(exact))) / len(codes))
    assert np.all(np.abs(sampled - exact) < tolerance)


@pytest.mark.parametrize("seed", range(40))
def test_a_mean_code_of_more_latents_than_its_rank_depends(seed):
    """Rank min(D, factors that vary, latents with independent rows) is below L by construction, whatever rounding says.

    The sign of a determinant, which is rounding here, said 20 to 56 nats in a third of these.
    """
    rng = np.random.default_rng(seed)
    loading = rng.standard_normal((4, 2)) * 10.0 ** rng.integers(-3, 4)
    decoder = rng.standard_normal((4, 5))
    decoder[:, 3] = decoder[:, 0] - 2 * decoder[:, 1]
    codes = {
        "more latents than data": (GenerativeModel(loading, 0.3), decoder),
        "dependent columns": (GenerativeModel(loading, 0.3), decoder[:, [0, 1, 3]]),
        "less factors, no noise": (GenerativeModel(loading, 0.0), decoder[:, :3]),
        "a factor that is still": (GenerativeModel(loading, 0.0, np.diag([1.0, 0.0])), decoder[:, :2]),
    }
    for truth, weights in codes.values():
        vae = LinearVAE(weights, np.linalg.pinv(weights), np.eye(weights.shape[1]), 1.0)
        assert room.scores(GaussianCode.of(truth, vae)).total_correlation == np.inf
        assert np.isfinite(room.scores(GaussianCode.of(truth, vae, code="sample")).total_correlation)
    assert room.total_correlation(linear(rng.standard_normal((5, 3)))) == np.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GaussianCode(np.eye(2), np.eye(2), 1.1 * np.eye(2)), "joint covariance of factors and code must have"),
        (lambda: GaussianCode(np.eye(2), np.eye(3), np.eye(2)), "cross_covariance must be 2 x 3"),
        (lambda: GaussianCode(np.eye(2), 1e-6 * np.eye(2), 0.01 * np.eye(2)), "joint covariance of factors and code"),
        (
            lambda: GaussianCode(np.eye(2), -np.eye(2), np.zeros((2, 2))),
            "joint covariance of factors and code must have",
        ),
        (
            lambda: GaussianCode.of(GenerativeModel(np.eye(2), 0.1), LinearVAE(np.eye(3), np.eye(3), np.eye(3), 1.0)),
            "vae must have the truth's 2 data dimensions, got 3",
        ),
        (
            lambda: GaussianCode.of(
                GenerativeModel(np.eye(2), 0.1), LinearVAE(np.eye(2), np.eye(2), np.eye(2), 1.0), code="mode"
            ),
            "code must be one of",
        ),
        (lambda: room.mutual_information_gap(linear(np.eye(2)), bins=1), "bins must be >= 2"),
        (lambda: room.mutual_information_gap(linear(np.eye(2)), half_width=0.0), "half_width must be > 0"),
        (
            lambda: GaussianCode.of(GenerativeModel(np.eye(2), 0.1), None),
            "vae must be a LinearVAE, got None: the noise ran",
        ),
        (
            lambda: GaussianCode.of(
                GenerativeModel(np.eye(2), 0.1), LinearVAE(np.eye(2), 1e-170 * np.eye(2), np.eye(2), 1.0)
            ),
            "vae must have an encoder of a size that fits the truth",
        ),
        (
            lambda: room.dci(np.eye(2)),
            "code must be a GaussianCode, got an object of type ndarray; pass GaussianCode.of",
        ),
        (
            lambda: room.mutual_information_gap(linear(np.eye(2)), bins=3, half_width=1e3),
            "half_width must be so small",
        ),
        (lambda: room.mutual_information_gap(linear(np.eye(2)), bins=2001), "bins must be <= 1000"),
        (lambda: room.hoyer_chance_level(-1), "latent_dim must be >= 0"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("small", [1e-3, 1e-6, 1e-8, 1e-10])
def test_codes_that_nearly_depend_still_explain_their_factors(small):
    """z = (s1, s1 + small s2) determines both factors: R^2 is 1, as the total correlation is finite.

    s2 = (z2 - z1) / small; standardised importances (r = sqrt(1 + small^2)): 1, 0 for s1, 1/small, r/small for s2.
    """
    vae = LinearVAE(np.eye(2), np.array([[1.0, 0.0], [1.0, small]]), np.eye(2), 0.1)
    code = GaussianCode.of(GenerativeModel(np.eye(2), 0.0), vae)
    found = room.scores(code)
    assert found.informativeness == pytest.approx(1, abs=1e-14)
    assert found.total_correlation == pytest.approx(np.log1p(small**-2) / 2, rel=1e-12)
    np.testing.assert_allclose(code.regression[0][1] * small, [-1, np.sqrt(1 + small**2)], rtol=1e-5)
