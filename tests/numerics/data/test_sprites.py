from __future__ import annotations

import zipfile

import numpy as np
import pytest

from numerics.data import sprites
from numerics.data.sprites import FACTORS, LEVELS, SHAPES, draw_factors, load_dsprites, render, sample_sprites

SQUARE, ELLIPSE, HEART = range(3)


def one(shape=SQUARE, scale=1.0, orientation=0.0, x=0.5, y=0.5, **options):
    return render([[shape, scale, orientation, x, y]], **options)[0]


@pytest.mark.parametrize("scale", [0.5, 0.8, 1.0])
def test_areas(scale):
    extent = sprites.EXTENT * scale * 64
    assert one(SQUARE, scale, 0.3).sum() == pytest.approx((1.6 * extent) ** 2, rel=0.01)
    assert one(ELLIPSE, scale, 0.3).sum() == pytest.approx(np.pi / 2 * extent**2, rel=0.01)
    # The heart (a^2 + b^2 - 1)^3 = a^2 b^3 encloses an area of 3.661972...
    assert one(HEART, scale, 0.3).sum() == pytest.approx(3.661972 * (extent / 1.25) ** 2, rel=0.01)


@pytest.mark.parametrize("shape", [SQUARE, ELLIPSE])
def test_places(shape):
    for x, y in ((0.0, 0.0), (1.0, 0.25), (0.5, 0.9)):
        image = one(shape, 0.7, 1.1, x, y)
        across, down = np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5)
        centre = np.array([np.sum(image * across), np.sum(image * down)]) / image.sum() / 64
        expected = sprites.MARGIN + (1 - 2 * sprites.MARGIN) * np.array([x, y])
        np.testing.assert_allclose(centre, expected, atol=1e-3)


def test_turns():
    np.testing.assert_array_equal(one(SQUARE, orientation=np.pi / 2), one(SQUARE))
    lying, standing = one(ELLIPSE), one(ELLIPSE, orientation=np.pi / 2)
    np.testing.assert_allclose(standing, lying.T, atol=1 / 16)  # the edge of one point of 16 in a pixel
    assert np.any(lying[32] > 0, axis=0) and np.count_nonzero(lying[32]) > np.count_nonzero(lying[:, 32])
    heart = one(HEART)
    np.testing.assert_allclose(heart, heart[:, ::-1], atol=1e-12)
    assert np.flatnonzero(heart.sum(axis=1))[0] > 0 and np.argmax(heart.sum(axis=1)) < 32  # its tip points down
    np.testing.assert_allclose(one(HEART, orientation=np.pi), heart[::-1], atol=1 / 16)


def test_no_sprite_leaves_the_image_and_values_are_grey():
    places = [(x, y) for x in (0, 1) for y in (0, 1)]
    corners = [[shape, 1.0, angle, *place] for shape in range(3) for angle in (0, 0.8, 2.4) for place in places]
    images = render(corners)
    edges = np.concatenate([images[:, [0, -1]].ravel(), images[:, :, [0, -1]].ravel()])
    assert edges.max() == 0 and images.min() >= 0 and images.max() == 1
    assert np.any((images > 0) & (images < 1))
    assert set(np.unique(render(corners, samples=1))) == {0.0, 1.0}


def test_factors_are_drawn_from_the_grid():
    made = sample_sprites(300, np.random.default_rng(2), size=8, samples=1)
    assert made.images.shape == (300, 8, 8) and made.pixels.shape == (300, 64)
    np.testing.assert_array_equal(made.pixels[7], made.images[7].ravel())
    assert {len(values) for values in LEVELS.values()} == {3, 6, 40, 32}
    for column, name in zip(made.factors.T, FACTORS, strict=True):
        assert set(column) <= set(LEVELS[name])
    assert set(made.factors[:, 0]) == set(range(len(SHAPES)))
    np.testing.assert_array_equal(draw_factors(300, np.random.default_rng(2)), made.factors)


def test_seeds_stand_for_generators():
    np.testing.assert_array_equal(draw_factors(9, 3), draw_factors(9, np.random.default_rng(3)))


def test_misuse_of_the_generator():
    with pytest.raises(ValueError, match=r"factors must have scales from 0\.01 to 1"):
        render([[0, 0, 0, 0.5, 0.5]])
    with pytest.raises(ValueError, match="factors must have places x and y from 0 to 1"):
        render([[0, 1, 0, 0.5, 1e308]])
    with pytest.raises(ValueError, match="size = 2147483648 needs"):
        sample_sprites(3, 0, size=2**31)
    with pytest.raises(ValueError, match="rng must be a"):
        draw_factors(3, None)
    with pytest.raises(ValueError, match="path must be a str or a PathLike, got None"):
        load_dsprites(None)
    with pytest.raises(ValueError, match="must have the columns shape, scale"):
        render(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="must have shape 0, 1 or 2"):
        render([[3, 1, 0, 0.5, 0.5]])
    with pytest.raises(ValueError, match="size must be >= 1, got 0"):
        render([[0, 1, 0, 0.5, 0.5]], size=0)


@pytest.fixture
def published(tmp_path):
    """A small file of the published form."""
    rng = np.random.default_rng(4)
    images = rng.integers(0, 2, size=(50, 64, 64), dtype=np.uint8)
    values = np.column_stack([np.ones(50), rng.integers(1, 4, 50), rng.uniform(size=(50, 4))])
    path = tmp_path / "dsprites.npz"
    np.savez_compressed(path, imgs=images, latents_values=values, metadata=np.array({"a": 1}, dtype=object))
    return path, images, values


def test_the_published_file(published):
    path, images, values = published
    everything = load_dsprites(path)
    np.testing.assert_array_equal(everything.images, images)
    np.testing.assert_array_equal(everything.factors[:, 0], values[:, 1] - 1)
    np.testing.assert_array_equal(everything.factors[:, 1:], values[:, 2:])
    assert everything.images.dtype == np.uint8


def test_a_part_of_the_published_file(published):
    path, images, values = published
    part = load_dsprites(path, count=12, rng=np.random.default_rng(5))
    rows = np.sort(np.random.default_rng(5).choice(50, 12, replace=False))
    np.testing.assert_array_equal(part.images, images[rows])
    np.testing.assert_array_equal(part.factors[:, 1:], values[rows, 2:])
    assert len(load_dsprites(path, count=100).images) == 50
    np.testing.assert_array_equal(load_dsprites(path, count=3).images, load_dsprites(path, count=3).images)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        load_dsprites(tmp_path / "missing.npz")
    (tmp_path / "text.npz").write_text("x")
    np.savez(tmp_path / "other.npz", data=np.zeros(3))
    np.savez(tmp_path / "floats.npz", imgs=np.zeros((3, 4, 4)), latents_values=np.zeros((3, 6)))
    good, values = np.zeros((3, 4, 4), dtype=np.uint8), np.ones((3, 6))
    np.savez(tmp_path / "columns.npz", imgs=np.asfortranarray(good), latents_values=values)
    np.savez(tmp_path / "shapes.npz", imgs=good, latents_values=2.5 * values)
    np.savez(tmp_path / "few.npz", imgs=good, latents_values=values[:, :5])
    for name, keep in (("cut", slice(0, 300)), ("bracket", None)):
        np.savez(tmp_path / f"{name}.npz", imgs=good, latents_values=values)
        content = (tmp_path / f"{name}.npz").read_bytes()
        content = content[keep] if keep else content.replace(b"(3, 4, 4)", b"(3, 4, 4 ")
        (tmp_path / f"{name}.npz").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive:  # a header that claims more than the file holds
        for name, shape, kind in (("latents_values", (10**12, 6), "<f8"), ("imgs", (10**12, 64, 64), "|u1")):
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array_header_1_0(member, {"descr": kind, "fortran_order": False, "shape": shape})
    for name in ("text", "other", "floats", "columns", "shapes", "few", "cut", "bracket", "huge"):
        with pytest.raises(ValueError, match=f"{name}.npz': must be the published dSprites file"):
            load_dsprites(tmp_path / f"{name}.npz")
