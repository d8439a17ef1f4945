"""The checks that every public function makes of what it is given.

Each check returns the value in the form that the mathematics wants (a float, a float64 array, a symmetric matrix) or
raises a `ValueError` that names the argument, says what came, and what to do about it. What is mathematically fine but
unusual (zero variance, ties, rank deficiency) passes. Complex numbers never pass for real ones.
"""

from __future__ import annotations

import math
import numbers

import numpy as np

__all__ = [
    "choice",
    "covariance_matrix",
    "latent_count",
    "matrix",
    "negative_eigenvalue",
    "non_negative",
    "non_negative_spectrum",
    "positive",
    "positive_array",
    "positive_or_word",
    "rank_tolerance",
    "real_array",
    "symmetric_matrix",
    "vector",
]

# Asymmetry and negative eigenvalues up to this fraction of the largest entry are rounding, beyond it a mistake.
ROUNDING = 1e-8


def positive(name: str, value: float) -> float:
    """Return `value` as a float if it is a finite number above zero."""
    number = _number(name, value)
    if not number > 0:
        raise ValueError(f"{name} must be > 0, got {number!r}; pass a positive number")
    return number


def positive_or_word(name: str, value: float | str, *words: str) -> float | str:
    """Return `value` if it is one of the words that stand for a number, or else as a positive float."""
    if not isinstance(value, str):
        return positive(name, value)
    if value not in words:
        raise ValueError(f"{name} must be a number or {' or '.join(map(repr, words))}, got {value!r}")
    return value


def non_negative(name: str, value: float) -> float:
    """Return `value` as a float if it is a finite number, zero or above."""
    number = _number(name, value)
    if not number >= 0:
        raise ValueError(f"{name} must be >= 0, got {number!r}; pass zero or a positive number")
    return number


def positive_array(name: str, values) -> np.ndarray:
    """Return `values` as a float array, of any shape, whose entries are all finite and above zero."""
    array = _float_array(name, values)
    if array.size and not array.min() > 0:
        raise ValueError(
            f"{name} must be > 0 everywhere, its smallest entry is {float(array.min())!r}; pass positive numbers"
        )
    return array


def latent_count(name: str, value: int) -> int:
    """Return `value` as an int if it is a whole number, zero or above."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ValueError(f"{name} must be a whole number, got {value!r}; pass an int such as 2")
    if value < 0:
        raise ValueError(f"{name} must be >= 0, got {value}; pass zero or a positive whole number")
    return int(value)


def choice(name: str, value: str, options) -> str:
    """Return `value` if it is one of `options`."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}, got {value!r}")
    return value


def vector(name: str, value, length: int | None = None) -> np.ndarray:
    """Return `value` as a finite float vector, of the given length if one is given."""
    array = _float_array(name, value)
    if array.ndim != 1:
        raise ValueError(f"{name} must be a vector, got an array of shape {array.shape}; pass a one-dimensional array")
    if length is not None and array.shape[0] != length:
        raise ValueError(f"{name} must have length {length}, got {array.shape[0]}; pass {length} numbers")
    return array


def matrix(name: str, value, shape: tuple[int | None, int | None] = (None, None), finite: bool = True) -> np.ndarray:
    """Return `value` as a float matrix, finite unless said otherwise; `None` in `shape` leaves that side free."""
    array = _float_array(name, value) if finite else real_array(name, value)
    if array.ndim != 2:
        raise ValueError(f"{name} must be a matrix, got an array of shape {array.shape}; pass a two-dimensional array")
    if not _fits(array.shape, shape):
        wanted = " x ".join("any" if side is None else str(side) for side in shape)
        remedy = "pass its transpose" if _fits(array.T.shape, shape) else "pass an array of that shape"
        raise ValueError(f"{name} must be {wanted}, got {array.shape[0]} x {array.shape[1]}; {remedy}")
    return array


def covariance_matrix(name: str, value, size: int | None = None) -> np.ndarray:
    """Return `value` as a symmetric positive semi-definite matrix, symmetrised where it is so up to rounding.

    Definiteness is checked by one Cholesky factorisation of a matrix shifted by the rounding that is allowed, which is
    many times cheaper than eigenvalues; those are computed only to word the error.
    """
    array = symmetric_matrix(name, value, size)
    scale = np.abs(np.diagonal(array)).max(initial=0.0)
    if scale == 0.0 and not np.any(array):
        return array
    try:
        np.linalg.cholesky(array + ROUNDING * scale * np.eye(len(array)))
    except np.linalg.LinAlgError:
        raise negative_eigenvalue(name, np.linalg.eigvalsh(array)[0]) from None
    return array


def symmetric_matrix(name: str, value, size: int | None = None) -> np.ndarray:
    """Return `value` as a symmetric matrix, symmetrised where it is so up to rounding (definite or not)."""
    array = matrix(name, value)
    rows, columns = array.shape
    if rows != columns:
        raise ValueError(f"{name} must be square, got {rows} x {columns}; pass a covariance, not the data")
    if size is not None and rows != size:
        raise ValueError(f"{name} must be {size} x {size}, got {rows} x {rows}; pass a matrix of that size")
    if np.array_equal(array, array.T):
        return array
    asymmetry = np.abs(array - array.T).max()
    if asymmetry > ROUNDING * np.abs(array).max():
        raise ValueError(f"{name} must be symmetric, its largest asymmetry is {asymmetry:.3g}; pass (S + S.T) / 2")
    return (array + array.T) / 2


def non_negative_spectrum(name: str, eigenvalues: np.ndarray) -> np.ndarray:
    """Sort eigenvalues in descending order, set rounding to zero, and refuse negative ones."""
    descending = np.sort(vector(name, eigenvalues))[::-1]
    if descending.size and descending[-1] < -ROUNDING * max(descending[0], 0.0):
        raise negative_eigenvalue(name, descending[-1])
    return np.where(descending > rank_tolerance(descending), descending, 0.0)


def rank_tolerance(values: np.ndarray) -> float:
    """The size below which an eigenvalue is rounding: count x machine epsilon x the largest of `values`."""
    return len(values) * np.finfo(float).eps * np.abs(values).max(initial=0.0)


def negative_eigenvalue(name: str, smallest: float) -> ValueError:
    """The error to raise for a covariance with a negative eigenvalue."""
    return ValueError(
        f"{name} must have no negative eigenvalue, its smallest is {smallest:.3g}; "
        "pass a covariance matrix (for example numpy.cov(data, rowvar=False, bias=True))"
    )


def real_array(name: str, value) -> np.ndarray:
    """Return `value` as a float array of any shape, finite or not."""
    try:
        array = np.asarray(value)
        if not np.iscomplexobj(array):
            return array.astype(float, copy=False)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must hold numbers only, got {type(value).__name__}; pass numbers, as many in every row"
        ) from None
    raise _not_real(name)


def _number(name: str, value: float) -> float:
    if isinstance(value, (str, bytes)):
        raise ValueError(f"{name} must be a number, got {value!r}; pass a float such as 0.5")
    if np.iscomplexobj(value):
        raise _not_real(name)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, got {value!r}; pass a float such as 0.5") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number!r}; pass a finite number")
    return number


def _float_array(name: str, value) -> np.ndarray:
    array = real_array(name, value)
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} must be finite, it has {np.count_nonzero(~np.isfinite(array))} NaN or infinite entries; "
            "remove or replace NaN and infinite entries"
        )
    return array


def _not_real(name: str) -> ValueError:
    return ValueError(f"{name} must be real, got complex numbers; pass their real part, if the rest is only rounding")


def _fits(got: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return all(want is None or want == side for want, side in zip(wanted, got, strict=True))
