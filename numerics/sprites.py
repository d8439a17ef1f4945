"""Images of one sprite each, made from five factors, in the manner of the dSprites data set; and a reader of that set.

A pixel at p of an image in the unit square (x to the right, y downwards) shows the sprite where the shape's inequality
holds at

    q = R(-orientation) (p - centre) / (EXTENT scale),    centre = MARGIN + (1 - 2 MARGIN) (x, y)

    square   max(|q1|, |q2|) <= 0.8
    ellipse  q1^2 + (2 q2)^2 <= 1
    heart    (a^2 + b^2 - 1)^3 <= a^2 b^3,   (a, b) = 1.25 (q1, -q2)

The margin is so wide that no sprite leaves the image. A pixel's grey value is the share of its `samples`^2 points that
lie inside: 0 or 1 for one point, smooth edges for more. The published images have another drawing of the same factors.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from theory import validation

__all__ = ["FACTORS", "SHAPES", "Sprites", "draw_factors", "load_dsprites", "render", "sample_sprites"]

SHAPES = ("square", "ellipse", "heart")
FACTORS = ("shape", "scale", "orientation", "x", "y")
# The grid of the published set: 3 shapes, 6 scales, 40 orientations, 32 x 32 places.
LEVELS = {
    "shape": np.arange(3.0),
    "scale": np.linspace(0.5, 1.0, 6),
    "orientation": np.linspace(0.0, 2 * np.pi, 40),
    "x": np.linspace(0.0, 1.0, 32),
    "y": np.linspace(0.0, 1.0, 32),
}
EXTENT = 0.18  # half the size of the largest sprite, of the width of an image
MARGIN = 0.22


@dataclass(frozen=True, eq=False)
class Sprites:
    """Images with the factors that made them.

    Attributes
    ----------
    images : (N, size, size) array
        grey values from 0 to 1.
    factors : (N, 5) array
        in the order of `FACTORS`: shape (an index of `SHAPES`), scale, orientation in radians, x and y from 0 to 1.
    """

    images: np.ndarray
    factors: np.ndarray

    @property
    def pixels(self) -> np.ndarray:
        """One image per row, (N, size * size)."""
        return self.images.reshape(len(self.images), -1)


def draw_factors(count: int, rng: np.random.Generator) -> np.ndarray:
    """Factors drawn independently and evenly from the grid of the published set, (count, 5)."""
    return np.column_stack([rng.choice(LEVELS[name], size=count) for name in FACTORS])


def render(factors, *, size: int = 64, samples: int = 4) -> np.ndarray:
    """Images of given factors, which need not lie on the grid.

    Parameters
    ----------
    factors : (N, 5) array
        rows as in `Sprites.factors`.
    size : int
        width and height in pixels.
    samples : int
        points per side of a pixel; 1 gives binary images.

    Returns
    -------
    (N, size, size) array

    Raises
    ------
    ValueError
        for another number of columns, a shape that is none, or a size or number of points below one.
    """
    factors = validation.matrix("factors", factors)
    if factors.shape[1] != len(FACTORS):
        raise ValueError(f"factors must have the columns {', '.join(FACTORS)}, got {factors.shape[1]} columns")
    if not np.isin(factors[:, 0], range(len(SHAPES))).all():
        raise ValueError(f"factors must have shape 0, 1 or 2 ({', '.join(SHAPES)}) first, got {set(factors[:, 0])}")
    for name, value in {"size": size, "samples": samples}.items():
        if validation.count(name, value) < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    places = (np.arange(size * samples) + 0.5) / (size * samples)
    images = np.empty((len(factors), size, size))
    for image, (shape, scale, orientation, x, y) in zip(images, factors, strict=True):
        across = (places - MARGIN - (1 - 2 * MARGIN) * x) / (EXTENT * scale)
        down = (places - MARGIN - (1 - 2 * MARGIN) * y)[:, np.newaxis] / (EXTENT * scale)
        cos, sin = np.cos(orientation), np.sin(orientation)
        inside = _inside(SHAPES[int(shape)], cos * across + sin * down, cos * down - sin * across)
        image[:] = inside.reshape(size, samples, size, samples).mean(axis=(1, 3))
    return images


def sample_sprites(count: int, rng: np.random.Generator, *, size: int = 64, samples: int = 4) -> Sprites:
    """Images of factors drawn from the grid."""
    factors = draw_factors(validation.count("count", count), rng)
    return Sprites(render(factors, size=size, samples=samples), factors)


def load_dsprites(path, *, count: int | None = None, rng: np.random.Generator | None = None) -> Sprites:
    """The published dSprites file, or some of its images drawn at random.

    The images are read one after the other, so that a part of the 3 GB that they are takes only its own memory.

    Parameters
    ----------
    path : str or path
        of dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz, with the arrays "imgs" and "latents_values".
    count : int, optional
        how many images, all different; all of them by default.
    rng : numpy.random.Generator, optional
        that draws them; `None` means `numpy.random.default_rng(0)`.

    Returns
    -------
    Sprites
        images as bytes, in the order of the file.

    Raises
    ------
    ValueError
        for a file that is missing or is not the published one.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: no such file; download the dSprites .npz and check the path")
    try:
        with zipfile.ZipFile(path) as archive:
            with archive.open("latents_values.npy") as member:
                values = np.lib.format.read_array(member)
            total = len(values)
            wanted = total if count is None else min(validation.count("count", count), total)
            rng = np.random.default_rng(0) if rng is None else rng
            rows = np.sort(rng.choice(total, wanted, replace=False)) if wanted < total else np.arange(total)
            with archive.open("imgs.npy") as member:
                images = _read_rows(member, rows, total)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ValueError(
            f"{path}: must be the published dSprites file, an .npz with imgs and latents_values"
        ) from error
    # Its first column is a colour that never changes, and it counts shapes from 1.
    return Sprites(images, values[rows, 1:] - np.array([1, 0, 0, 0, 0]))


def _inside(shape: str, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    if shape == "square":
        return np.maximum(np.abs(across), np.abs(down)) <= 0.8
    if shape == "ellipse":
        return across**2 + (2 * down) ** 2 <= 1
    a, b = 1.25 * across, -1.25 * down
    return (a**2 + b**2 - 1) ** 3 <= a**2 * b**3


def _read_rows(member, rows: np.ndarray, total: int) -> np.ndarray:
    """Some rows of a .npy array of bytes, without the others in memory."""
    np.lib.format.read_magic(member)
    shape, _, dtype = np.lib.format.read_array_header_1_0(member)
    if len(shape) != 3 or shape[0] != total or dtype != np.uint8:
        raise KeyError(f"imgs of shape {shape} and type {dtype}")
    size = shape[1] * shape[2]
    images = np.empty((len(rows), *shape[1:]), dtype=np.uint8)
    before = 0
    for image, row in zip(images, rows, strict=True):
        member.seek((row - before) * size, 1)
        content = member.read(size)
        if len(content) < size:
            raise EOFError("imgs ends early")
        image[:] = np.frombuffer(content, dtype=np.uint8).reshape(shape[1:])
        before = row + 1
    return images
