"""The optimal beta of images whose factors were measured: digits by ink and centre, sprites as drawn."""

from __future__ import annotations

import numpy as np
import pytest

from numerics import digits, sample_sprites
from numerics.data.sprites import FACTORS
from theory import GenerativeModel, inference_error, optimal_beta_from_data, optimal_encoder


def ink_and_centre(images: np.ndarray) -> np.ndarray:
    grey = images.reshape(len(images), 8, 8)
    ink = grey.sum(axis=(1, 2))
    across, down = (grey.sum(axis=axis) @ np.arange(8) / ink for axis in (1, 2))
    return np.column_stack([ink, across, down])


@pytest.mark.parametrize("images", ["digits", "sprites"])
def test_images_with_measured_factors(images):
    if images == "digits":
        data, factors = digits(), ink_and_centre(digits())
    else:
        sprites = sample_sprites(800, np.random.default_rng(0), size=12)
        chosen = [FACTORS.index(name) for name in ("scale", "x", "y")]
        data, factors = sprites.pixels.astype(float), sprites.factors[:, chosen].astype(float)
    found = optimal_beta_from_data(data, factors, criteria=["forward_kl", "mean_squared_error"], resamples=30)
    model = found.fitted.model
    assert model.loading.shape == (data.shape[1], 3)
    explained = np.sum(model.loading * (model.loading @ model.factor_covariance), axis=1).sum()
    assert explained + model.noise_variance * data.shape[1] == pytest.approx(data.var(axis=0).sum(), rel=0.01)
    for name, each in found.betas.items():
        assert 0 < each.low <= each.best.beta <= each.high < 10, name
        errors = [
            getattr(inference_error(model, optimal_encoder(model.loading, model.noise_variance, beta)), name)
            for beta in np.array([0.97, 1, 1.03]) * each.best.beta
        ]
        assert errors[1] < min(errors[0], errors[2]), name
    assert any("residual variances" in note for note in found.notes)  # pixels at the edge are dark in every image
    assert isinstance(GenerativeModel.from_data(data, factors).noise_error, float)
