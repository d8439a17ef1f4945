from __future__ import annotations

import numpy as np
import pytest

from numerics import train
from numerics.data.sprites import FACTORS, Sprites, draw_factors, sample_sprites
from numerics.experiments.sprite_axes import axis_content, mutual_information_gap_of_draws, score_curve
from theory import LinearVAE, Moments, optimum


@pytest.fixture(scope="module")
def toy():
    """Images of four pixels: x, then scale, then noise; the last never changes."""
    rng = np.random.default_rng(1)
    factors = draw_factors(4000, rng)
    noise = rng.standard_normal(4000)
    columns = [4 * factors[:, 3], 3 * (factors[:, 1] - 0.5), 0.2 * noise, np.full(4000, 7.0)]
    return Sprites(np.stack(columns, axis=1).reshape(-1, 2, 2), factors)


def test_what_axes_carry(toy):
    content = axis_content(toy, 3)
    assert content.leading_factors[:2] == ["x", "scale"]
    x, scale = FACTORS.index("x"), FACTORS.index("scale")
    assert content.shares[0, x] > 0.98 and content.shares[1, scale] > 0.98
    assert np.abs(np.delete(content.shares[0], [x])).max() < 0.03
    assert np.abs(content.shares[2]).max() < 0.03  # noise; the adjustment for 40 levels keeps it near zero
    np.testing.assert_allclose(content.eigenvalues[:2], np.linalg.eigvalsh(Moments.of(toy.pixels).covariance)[:1:-1])


def test_the_gap_of_codes_that_are_factors(toy):
    identity = LinearVAE(np.eye(4)[:, :2], np.eye(4)[:2], 1e-6 * np.eye(2), 0.1)
    x, scale = toy.factors[:, 3], toy.factors[:, 1]
    gap = mutual_information_gap_of_draws(toy, identity)
    # scale keeps its six levels apart in 20 bins; x loses some of its 32; the other three factors have no code.
    assert 0.3 < gap < 0.4
    doubled = LinearVAE(np.zeros((4, 2)), np.eye(4)[[0, 0]], 1e-6 * np.eye(2), 0.1)
    assert mutual_information_gap_of_draws(toy, doubled) == 0
    blurred = LinearVAE(np.eye(4)[:, :2], np.eye(4)[:2], 4 * np.eye(2), 0.1)
    assert mutual_information_gap_of_draws(toy, blurred, rng=np.random.default_rng(0)) < gap / 2
    assert mutual_information_gap_of_draws(toy, blurred) == gap
    assert len(np.unique(x)) == 32 and len(np.unique(scale)) == 6


def test_places_across_and_down_tie_and_hide_each_other():
    """The images are as likely as their mirror images about the diagonal, so leading axes come in pairs."""
    made = sample_sprites(2000, np.random.default_rng(3), size=16, samples=2)
    content = axis_content(made, 8)
    first, second, third = content.eigenvalues[:3]
    assert first / second < 1.15 < second / third
    places = content.shares[:, [FACTORS.index("x"), FACTORS.index("y")]]
    assert places[:2].sum(axis=1).min() > 0.5 and content.shares[:, 0].max() < 0.1
    assert set(content.leading_factors) <= {"x", "y", "scale"}
    best = optimum(Moments.of(made.pixels), 6, beta=1.0, noise_variance=0.05).vae
    assert mutual_information_gap_of_draws(made, best) < 0.05


def test_a_trained_model_scores_as_the_optimum():
    made = sample_sprites(600, np.random.default_rng(4), size=8, samples=2)
    moments = Moments.of(made.pixels)
    level = 0.3 * np.linalg.eigvalsh(moments.covariance)[-1]
    best = optimum(moments, 3, beta=1.0, noise_variance=level).vae
    run = train(moments, 3, beta=1.0, noise_variance=level, max_steps=100_000)
    assert run.stopped == "gradient"
    found, expected = (mutual_information_gap_of_draws(made, vae) for vae in (run.vae, best))
    assert found == pytest.approx(expected, abs=1e-3)  # a code at the edge of a bin may fall to either side


def test_the_level_of_the_score_is_how_far_the_leading_axes_are_x_or_y():
    """A near tie of x and y, which the draw of the images resolves: the score follows it, far beyond other noise."""
    apart, scores = [], []
    for stream in np.random.SeedSequence(0).spawn(6):
        made = sample_sprites(1500, np.random.default_rng(stream), size=12, samples=2)
        shares = axis_content(made, 4).shares[0]
        apart.append(abs(shares[FACTORS.index("x")] - shares[FACTORS.index("y")]))
        best = optimum(Moments.of(made.pixels), 4, beta=1.0).vae
        scores.append(mutual_information_gap_of_draws(made, best))
    assert np.corrcoef(apart, scores)[0, 1] > 0.9
    assert max(scores) > 2 * min(scores)


def test_axes_and_factors_that_say_nothing(toy):
    # No variance along the fourth axis; a factor without two equal levels has no share that could be adjusted.
    assert np.abs(axis_content(toy, 4).shares[3]).max() == 0
    few = Sprites(toy.images[:4], toy.factors[:4] + np.arange(4)[:, np.newaxis])
    assert np.abs(axis_content(few, 2).shares).max() == 0
    constant = Sprites(toy.images, np.zeros(toy.factors.shape))
    with pytest.raises(ValueError, match="sprites must have a factor that varies"):
        mutual_information_gap_of_draws(constant, LinearVAE(np.eye(4), np.eye(4), np.eye(4), 0.1))


def test_misuse(toy):
    with pytest.raises(ValueError, match="sprites must be a Sprites, got None"):
        axis_content(None, 2)
    with pytest.raises(ValueError, match="count must be <= 4"):
        axis_content(toy, 5)
    with pytest.raises(ValueError, match="vae must take 4 pixels, it takes 2"):
        mutual_information_gap_of_draws(toy, LinearVAE(np.eye(2), np.eye(2), np.eye(2), 0.1))


def test_score_curve_is_the_score_of_each_optimum(toy):
    curve = score_curve(toy, 2, [0.5, 1.0, 3.5], rng=np.random.default_rng(0))
    assert curve["active_count"].tolist() == [
        optimum(Moments.of(toy.pixels), 2, beta=beta).active_count for beta in (0.5, 1.0, 3.5)
    ]
    assert curve["active_count"][0] > curve["active_count"][-1]
    best = optimum(Moments.of(toy.pixels), 2, beta=1.0).vae
    assert curve["gap_of_means"][1] == mutual_information_gap_of_draws(toy, best)
    assert (curve["gap_of_samples"] <= curve["gap_of_means"] + 0.02).all()  # noise adds no information but by chance
    with pytest.raises(ValueError, match="latent_dim"):
        score_curve(toy, 4, [0.5])
