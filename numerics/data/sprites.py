"""Images of one sprite each, made from five factors as in the dSprites data set; and a reader of that set.

Used by `numerics.experiments.sprite_axes`: `python -m numerics sprites`.

A pixel at p of an image in the unit square (x to the right, y downwards) shows the sprite where the inequality of the
shape holds at

    q = R(-orientation) (p - centre) / (EXTENT scale),    centre = MARGIN + (1 - 2 MARGIN) (x, y)

    square   max(|q1|, |q2|) <= 0.8
    ellipse  q1^2 + (2 q2)^2 <= 1
    heart    (a^2 + b^2 - 1)^3 <= a^2 b^3,   (a, b) = 1.25 (q1, -q2)

The margin is so wide that no sprite leaves the image. A pixel's grey value is the share of its `samples`^2 points that
lie inside: 0 or 1 for one point, smooth edges for more. The published images draw the same factors differently.
"""

from __future__ import annotations

import os
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from math import prod
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
SMALLEST_SCALE = 0.01  # of a sprite that can be drawn
EXTENT = 0.18  # the unit of length that shapes of scale 1 are drawn in, as a share of the width of an image
MARGIN = 0.22


@dataclass(frozen=True, eq=False)
class Sprites:
    """Images with the factors that made them.

    Attributes
    ----------
    images : (N, size, size) array
        grey values from 0 to 1; bytes 0 and 1 if they come from the published file.
    factors : (N, 5) array
        in the order of `FACTORS`: shape (an index of `SHAPES`), scale, orientation in radians, x and y from 0 to 1.
    """

    images: np.ndarray
    factors: np.ndarray

    @property
    def pixels(self) -> np.ndarray:
        """One image per row, (N, size * size)."""
        return self.images.reshape(len(self.images), -1)


def draw_factors(count: int, rng: np.random.Generator | int) -> np.ndarray:
    """Factors drawn independently and evenly from the grid of the published set, (count, 5).

    `rng` is a generator or a seed.
    """
    count = validation.count("count", count, bytes_each=16 * len(FACTORS))
    rng = validation.random_generator("rng", rng)
    return np.column_stack([rng.choice(LEVELS[name], size=count) for name in FACTORS])


def render(factors, *, size: int = 64, samples: int = 4) -> np.ndarray:
    """Images of given factors, which need not lie on the grid.

    Parameters
    ----------
    factors : (N, 5) array
        rows as in `Sprites.factors`; scales from .01 to 1, places from 0 to 1.
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
        for another number of columns, an unknown shape, a scale or place out of range, or a size or number of points
        below one.
    """
    factors = validation.matrix("factors", factors)
    if factors.shape[1] != len(FACTORS):
        raise ValueError(f"factors must have the columns {', '.join(FACTORS)}, got {factors.shape[1]} columns")
    if not np.isin(factors[:, 0], range(len(SHAPES))).all():
        raise ValueError(f"factors must have shape 0, 1 or 2 ({', '.join(SHAPES)}) first, got {set(factors[:, 0])}")
    if factors.size and not (factors[:, 1].min() >= SMALLEST_SCALE and factors[:, 1].max() <= 1):
        raise ValueError(f"factors must have scales from {SMALLEST_SCALE} to 1, in their second column")
    if factors.size and not (factors[:, 3:].min() >= 0 and factors[:, 3:].max() <= 1):
        raise ValueError("factors must have places x and y from 0 to 1, in their last two columns")
    size, samples = _sizes(len(factors), size, samples)
    places = (np.arange(size * samples) + 0.5) / (size * samples)
    images = np.empty((len(factors), size, size))
    for image, (shape, scale, orientation, x, y) in zip(images, factors, strict=True):
        across = (places - MARGIN - (1 - 2 * MARGIN) * x) / (EXTENT * scale)
        down = (places - MARGIN - (1 - 2 * MARGIN) * y)[:, np.newaxis] / (EXTENT * scale)
        cos, sin = np.cos(orientation), np.sin(orientation)
        inside = _inside(SHAPES[int(shape)], cos * across + sin * down, cos * down - sin * across)
        image[:] = inside.reshape(size, samples, size, samples).mean(axis=(1, 3))
    return images


def sample_sprites(count: int, rng: np.random.Generator | int, *, size: int = 64, samples: int = 4) -> Sprites:
    """Images of factors drawn from the grid; `rng` is a generator or a seed, the rest as for `render`."""
    size, samples = _sizes(1, size, samples)
    count = validation.count("count", count, bytes_each=8 * size**2)
    factors = draw_factors(count, rng)
    return Sprites(render(factors, size=size, samples=samples), factors)


def load_dsprites(path, *, count: int | None = None, rng: np.random.Generator | int = 0) -> Sprites:
    """The published dSprites file, or some of its images drawn at random.

    The images are read one after the other, so that a part of the 3 GB takes only its own memory.

    Parameters
    ----------
    path : str or path
        of dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz, with the arrays "imgs" and "latents_values".
    count : int, optional
        how many images, all different; all of them by default, or if the file has fewer.
    rng : numpy.random.Generator, or a seed
        that draws them.

    Returns
    -------
    Sprites
        images as bytes, in the order of the file.

    Raises
    ------
    ValueError
        for a file that is missing, damaged or not the published one, or an argument of the wrong type.
    """
    path = Path(validation.instance("path", path, (str, os.PathLike), "pass the name of a file"))
    count = None if count is None else validation.count("count", count)
    rng = validation.random_generator("rng", rng)
    if "\0" in str(path) or not path.is_file():
        raise ValueError(f"path {str(path)!r}: no such file; download the dSprites .npz and check the path")
    try:
        with zipfile.ZipFile(path) as archive:
            values = _factor_table(archive)
            total = len(values)
            wanted = total if count is None else min(count, total)
            rows = np.sort(rng.choice(total, wanted, replace=False)) if wanted < total else np.arange(total)
            images = _read_rows(archive, rows, total)
    except DAMAGE as error:
        raise ValueError(
            f"path {str(path)!r}: must be the published dSprites file, an .npz with imgs and latents_values ({error})"
        ) from error
    # The first column of the file is a constant colour, and its shapes count from 1.
    return Sprites(images, values[rows, 1:] - np.array([1, 0, 0, 0, 0]))


# Raised by a file that is another archive, encrypted, compressed differently, cut short, or has a broken header.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, tokenize.TokenError, SyntaxError, KeyError, EOFError, OSError, RuntimeError,
    NotImplementedError, OverflowError, ValueError,
)  # fmt: skip


def _sizes(count: int, size: int, samples: int) -> tuple[int, int]:
    """The checked width of images and number of points on a side of a pixel, for this many images."""
    size, samples = (validation.count(name, value, 1) for name, value in (("size", size), ("samples", samples)))
    validation.count("size", size, bytes_each=8 * size * max(count, 1))
    validation.count("samples", samples, bytes_each=32 * samples * size**2)  # of the one image that is made at a time
    return size, samples


def _inside(shape: str, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    if shape == "square":
        return np.maximum(np.abs(across), np.abs(down)) <= 0.8
    if shape == "ellipse":
        return across**2 + (2 * down) ** 2 <= 1
    a, b = 1.25 * across, -1.25 * down
    return (a**2 + b**2 - 1) ** 3 <= a**2 * b**3


def _header(archive: zipfile.ZipFile, name: str, member) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array in an archive, after a check that the file is as long as they imply."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, dtype = read(member)
    if by_columns and len(shape) > 1:
        raise ValueError(f"{name} is stored by columns")
    if prod(shape) * dtype.itemsize > archive.getinfo(name).file_size:
        raise EOFError(f"{name} is shorter than its header says")
    return shape, dtype


def _factor_table(archive: zipfile.ZipFile) -> np.ndarray:
    """The factors of all images, (N, 6), as the file has them."""
    name = "latents_values.npy"
    with archive.open(name) as member:
        shape, dtype = _header(archive, name, member)
        if len(shape) != 2 or shape[1] != 6 or dtype.kind != "f":
            raise ValueError(f"latents_values of shape {shape} and type {dtype}")
        values = np.frombuffer(member.read(), dtype=dtype).reshape(shape).astype(float)
    if not np.isfinite(values).all() or not np.isin(values[:, 1], range(1, 1 + len(SHAPES))).all():
        raise ValueError("latents_values with another shape than 1, 2 or 3, or not finite")
    return values


def _read_rows(archive: zipfile.ZipFile, rows: np.ndarray, total: int) -> np.ndarray:
    """Some rows of the array of images, bytes, without the others in memory."""
    name = "imgs.npy"
    with archive.open(name) as member:
        shape, dtype = _header(archive, name, member)
        if len(shape) != 3 or shape[0] != total or dtype != np.uint8:
            raise ValueError(f"imgs of shape {shape} and type {dtype}")
        size = shape[1] * shape[2]
        validation.count("count", len(rows), bytes_each=size)
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
