"""The checks that every public function makes of its arguments.

Each check returns the value in the form that the mathematics needs (a float, a float64 array, a symmetric matrix) or
raises a `ValueError` that names the argument, the value that came, and the remedy. Values that are mathematically fine
but unusual (zero variance, ties, rank deficiency) pass.

**Numbers.** Accepted everywhere: Python and NumPy integers and floats of any width, decimals, fractions, and
zero-dimensional arrays of one of them. Never accepted: booleans, text, dates, complex numbers, None, masked entries,
and arrays or lists where one number is expected. A count is a whole number by its type: 2.0 is refused. Arrays may be
tensors of PyTorch, JAX or Keras, with gradients too.
"""

from __future__ import annotations

import itertools
import math
import operator
import os
from collections.abc import Iterable, Mapping, Set

import numpy as np

__all__ = [
    "choice",
    "count",
    "covariance_matrix",
    "finite_result",
    "first_not_finite",
    "fits_into_memory",
    "flag",
    "instance",
    "mask",
    "matrix",
    "negative_eigenvalue",
    "non_negative",
    "non_negative_spectrum",
    "number",
    "observations",
    "orthogonal_matrix",
    "positive",
    "positive_array",
    "positive_or_keyword",
    "random_generator",
    "rank_tolerance",
    "real_array",
    "scale",
    "scales",
    "seed",
    "seeds",
    "sequence",
    "several",
    "shown",
    "stated_spectrum",
    "symmetric_matrix",
    "vector",
    "within_decades",
]

# Asymmetry and negative eigenvalues up to this fraction of the largest entry are rounding, beyond it a mistake.
ROUNDING = 1e-8

# Weights (amplitudes) and variances or betas may lie between 10 to the minus and plus these powers: then their squares
# and products are floats. Beyond, the result of a formula would be infinite, zero or rounding.
AMPLITUDE_DECADES = 50
VARIANCE_DECADES = 100
# Types that can be cast to a float, but are not numbers.
NOT_NUMBERS = (bool, np.bool_, str, bytes, np.datetime64, np.timedelta64, np.ndarray)

# Rows of an array that are checked together, so that temporary arrays stay small.
CHECKED_ROWS = 4096

# The largest count: up to here neighbouring whole numbers are different floats.
LARGEST_COUNT = 2**53

# The longest accepted sequence of objects, groups or settings: an iterator may be endless.
LONGEST_SEQUENCE = 10**6


def number(name: str, value: float) -> float:
    """Return `value` as a float if it is one finite number."""
    if type(value) in (float, np.float64) and math.isfinite(value):  # most often, in calls of one function by another
        return float(value)
    array = real_array(name, value)
    if array.ndim:
        raise ValueError(f"{name} must be one number, got an array of shape {array.shape}; pass a float, such as 0.5")
    result = float(array)
    if not np.isfinite(result):
        raise ValueError(f"{name} must be finite, got {result!r}; pass a finite number")
    return result


def positive(name: str, value: float) -> float:
    """Return `value` as a float if it is a finite number above zero."""
    result = number(name, value)
    if not result > 0:
        raise ValueError(f"{name} must be > 0, got {result!r}; pass a positive number")
    return result


def positive_or_keyword(name: str, value: float | str, *words: str) -> float | str:
    """Return `value` if it is one of the keywords, or as a positive float."""
    if not isinstance(value, str):
        return positive(name, value)
    if value not in words:
        raise ValueError(f"{name} must be a number or {' or '.join(map(repr, words))}, got {shown(value)}")
    return value


def non_negative(name: str, value: float) -> float:
    """Return `value` as a float if it is a finite number, zero or above."""
    result = number(name, value)
    if not result >= 0:
        raise ValueError(f"{name} must be >= 0, got {result!r}; pass zero or a positive number")
    return result


def positive_array(name: str, values) -> np.ndarray:
    """Return `values` as a float array, of any shape, whose entries are all finite and above zero."""
    array = _float_array(name, values)
    if array.size and not array.min() > 0:
        raise ValueError(
            f"{name} must be > 0 everywhere, its smallest entry is {float(array.min())!r}; pass positive numbers"
        )
    return array


def within_decades(name: str, values, decades: int, *, tiny: bool = False):
    """Return `values`, a float or an array, if their products stay within the range of floats.

    The largest size of an entry must be zero or lie between 10^-decades and 10^decades; with `tiny` also smaller ones
    pass, for arguments that do not set the scale of a problem.
    """
    array = np.asarray(values)
    largest = max(array.max(initial=0.0), -array.min(initial=0.0))
    if largest > 10.0**decades or (not tiny and 0 < largest < 10.0**-decades):
        bounds = f"at most 1e{decades}" if tiny else f"zero or between 1e-{decades} and 1e{decades}"
        raise ValueError(f"{name} must be {bounds} in size, its largest is {largest:.3g}; change the units")
    return values


def scale(name: str, value: float, decades: int = VARIANCE_DECADES) -> float:
    """Return `value` as a float if it is positive and within 10^-decades to 10^decades, by default 1e-100 to 1e100."""
    return float(scales(name, positive(name, value), decades))


def scales(name: str, values, decades: int = VARIANCE_DECADES) -> np.ndarray:
    """Return `values` as a float array whose entries are all positive and within 10^-decades to 10^decades."""
    array = positive_array(name, values)
    for extreme in (array.min(initial=1.0), array.max(initial=1.0)):
        if not 10.0**-decades <= extreme <= 10.0**decades:
            raise ValueError(
                f"{name} must be between 1e-{decades} and 1e{decades}, got {extreme:.3g}; "
                "pass a number in this range, or change the units"
            )
    return array


def count(name: str, value: int, minimum: int = 0, maximum: int = LARGEST_COUNT, bytes_each: int = 0) -> int:
    """Return `value` as an int if it is a whole number within bounds, and so small that the result fits into memory.

    Parameters
    ----------
    name : str
    value : int, or a NumPy integer
    minimum, maximum : int
        inclusive.
    bytes_each : int
        bytes that the caller will allocate for each unit of the count; 0 for a count that only enters a formula.
    """
    single = value
    if isinstance(value, np.ndarray) and value.ndim == 0 and not np.ma.is_masked(value):
        single = value[()]
    try:
        if isinstance(single, bool | np.bool_ | np.ma.MaskedArray):
            raise TypeError
        whole = operator.index(single)
    except Exception:  # a foreign class may raise anything
        raise ValueError(f"{name} must be a whole number, got {shown(value)}; pass an int such as 2") from None
    if whole < minimum:
        least = {0: "zero or a positive whole number", 1: "a positive whole number"}
        remedy = f"pass {least.get(minimum, f'{minimum} or more')}"
        raise ValueError(f"{name} must be >= {minimum}, got {shown(whole)}; {remedy}")
    if whole > maximum:
        raise ValueError(f"{name} must be <= {maximum}, got {shown(whole)}; pass a smaller number")
    fits_into_memory(f"{name} = {whole}", whole * bytes_each, "pass a smaller number")
    return whole


def fits_into_memory(what: str, size: int, remedy: str) -> None:
    """Refuse `what` if the `size` in bytes that it needs is more than the memory of this machine."""
    if size > (memory := _memory()):
        raise ValueError(f"{what} needs {size / 2**30:.3g} GiB, this machine has {memory / 2**30:.3g} GiB; {remedy}")


def seed(name: str, value: int) -> int:
    """Return `value` as an int if it can seed a random generator: a whole number from 0 to 2^128 - 1."""
    return count(name, value, maximum=2**128 - 1)


def seeds(name: str, value, maximum: int = 2**128 - 1, bytes_each: int = 0) -> list[int]:
    """Return one seed or more as a list of ints: a sequence as it is, and a number n as 0 .. n - 1.

    Parameters
    ----------
    name : str
    value : int > 0, or sequence of ints >= 0
    maximum : int
        the largest seed.
    bytes_each : int
        bytes that the caller will allocate for each seed, checked where the value is a number.
    """
    if several(value):
        return [count(name, entry, maximum=maximum) for entry in sequence(name, value)]
    return list(range(count(name, value, minimum=1, bytes_each=bytes_each)))


def random_generator(name: str, value) -> np.random.Generator:
    """Return `value` if it is a `numpy.random.Generator`, or a new generator from a seed or a `SeedSequence`."""
    if isinstance(value, np.random.Generator):
        return value
    if isinstance(value, np.random.SeedSequence):
        return np.random.default_rng(value)
    try:
        return np.random.default_rng(seed(name, value))
    except ValueError:
        raise ValueError(
            f"{name} must be a numpy.random.Generator or a seed (a whole number >= 0), got {shown(value)}; "
            "pass for example numpy.random.default_rng(0), or 0"
        ) from None


def flag(name: str, value: bool) -> bool:
    """Return `value` as a bool if it is a bool of Python or NumPy; numbers and text are refused."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {shown(value)}; pass True or False")
    return bool(value)


def finite_result(name: str, result):
    """Return a result if it is finite, or raise an error that the argument `name` makes it overflow."""
    if not np.isfinite(result).all():
        raise ValueError(f"{name} must be smaller: the result is beyond the range of floats; choose other units")
    return result


def mask(name: str, value, length: int) -> np.ndarray:
    """Return `value` as a boolean vector of the given length; numbers are refused."""
    try:
        array = value if isinstance(value, np.ma.MaskedArray) else np.asarray(value)
    except Exception:  # rows of several lengths; a foreign class may raise anything
        array = np.asarray(None)
    if isinstance(array, np.ma.MaskedArray) or array.dtype != bool or array.shape != (length,):
        what = f"an array of {array.dtype} of shape {array.shape}" if array.ndim else shown(value)
        raise ValueError(
            f"{name} must be a boolean array of length {length}, got {what}; pass True for each selected entry"
        )
    return array


def instance(name: str, value, kinds: type | tuple[type, ...], remedy: str = ""):
    """Return `value` if it is an instance of one of the `kinds`; `remedy` says where to get one."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(value, kinds):
        wanted = " or a ".join(kind.__name__ for kind in kinds)
        remedy = remedy or f"pass a {kinds[0].__name__}"
        raise ValueError(f"{name} must be a {wanted}, got {shown(value)}; {remedy}")
    return value


def sequence(name: str, values, minimum: int = 1) -> tuple:
    """Return `values` as a tuple if they are ordered and no fewer than `minimum`; text, sets and dicts never pass.

    Endless iterators and sequences of more than a million items are refused.
    """
    text = isinstance(values, str | bytes | bytearray)
    if text or isinstance(values, Mapping | Set | type) or not several(values):
        raise ValueError(f"{name} must be a sequence, got {shown(values)}; pass a list")
    try:
        items = tuple(itertools.islice(values, LONGEST_SEQUENCE + 1))
    except Exception:  # a foreign class may raise anything
        raise ValueError(f"{name} must be a sequence, got {shown(values)}; pass a list") from None
    if len(items) > LONGEST_SEQUENCE:
        raise ValueError(
            f"{name} must hold at most {LONGEST_SEQUENCE}, it holds more, or is endless; pass a shorter list"
        )
    if len(items) < minimum:
        raise ValueError(f"{name} must hold at least {minimum}, it holds {len(items)}; pass a longer list")
    return items


def several(value) -> bool:
    """Whether a value is iterable (also text) rather than a single value; a zero-dimensional array is a single one."""
    return isinstance(value, Iterable) and not (isinstance(value, np.ndarray) and value.ndim == 0)


def choice(name: str, value: str, options) -> str:
    """Return `value` if it is one of `options`."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}, got {shown(value)}")
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
    """Return `value` as a float matrix, finite by default; `None` in `shape` leaves that side free."""
    array = _float_array(name, value) if finite else real_array(name, value)
    if array.ndim != 2:
        raise ValueError(f"{name} must be a matrix, got an array of shape {array.shape}; pass a two-dimensional array")
    if not _fits(array.shape, shape):
        wanted = " x ".join("any" if side is None else str(side) for side in shape)
        remedy = "pass its transpose" if _fits(array.T.shape, shape) else "pass an array of that shape"
        raise ValueError(f"{name} must be {wanted}, got {array.shape[0]} x {array.shape[1]}; {remedy}")
    return array


def observations(name: str, value, finite: bool = True) -> np.ndarray:
    """Return `value` as an (N, D) float array of observations, N >= 2, D >= 1, finite by default.

    A data frame passes if all of its columns are numbers; an error names the column by its label.
    """
    array = matrix(name, value, finite=False)
    rows, columns = array.shape
    if rows < 2:
        raise ValueError(f"{name} must have at least two rows, got {rows}; pass one observation per row")
    if columns == 0:
        raise ValueError(
            f"{name} must have at least one column, got an array of shape ({rows}, 0); pass one per variable"
        )
    if finite and (place := first_not_finite(array)) is not None:
        row, column = place
        labels = _labels(value) or range(columns)
        raise ValueError(
            f"{name} must be finite, row {row}, column {labels[column]!r} "
            f"(counted from 0) is {array[place]}; remove or replace NaN and infinite entries"
        )
    return array


def first_not_finite(array: np.ndarray) -> tuple[int, ...] | None:
    """The index of the first NaN or infinity of an array of one or more dimensions; None if all entries are finite."""
    for first in range(0, len(array), CHECKED_ROWS):
        finite = np.isfinite(array[first : first + CHECKED_ROWS])
        if not finite.all():
            row, *rest = (int(index) for index in np.unravel_index(np.argmin(finite), finite.shape))
            return first + row, *rest
    return None


def covariance_matrix(name: str, value, size: int | None = None) -> np.ndarray:
    """Return `value` as a symmetric positive semi-definite matrix; asymmetry up to rounding is averaged out.

    Definiteness is checked by one Cholesky factorisation of the matrix shifted by the allowed rounding, which is many
    times cheaper than eigenvalues; those are computed only for the error message.
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
    """Return `value` as a symmetric matrix, definite or not; asymmetry up to rounding is averaged out."""
    array = matrix(name, value)
    rows, columns = array.shape
    if rows != columns:
        raise ValueError(f"{name} must be square, got {rows} x {columns}; pass a covariance, not the data")
    if size is not None and rows != size:
        raise ValueError(f"{name} must be {size} x {size}, got {rows} x {rows}; pass a matrix of that size")
    if (array == array.T).all():
        return array
    asymmetry = np.abs(array - array.T).max()
    if asymmetry > ROUNDING * np.abs(array).max():
        raise ValueError(f"{name} must be symmetric, its largest asymmetry is {asymmetry:.3g}; pass (S + S.T) / 2")
    return (array + array.T) / 2


def orthogonal_matrix(name: str, value, size: int, example: str) -> np.ndarray:
    """Return `value` as an orthogonal (size, size) matrix, up to rounding; `example` is one for the error."""
    array = matrix(name, value, (size, size))
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = np.abs(array.T @ array - np.eye(size)).max(initial=0.0)
    if not deviation <= ROUNDING:
        raise ValueError(f"{name} must be orthogonal, R^T R is off by {deviation:.3g}; pass for example {example}")
    return array


def non_negative_spectrum(name: str, eigenvalues: np.ndarray) -> np.ndarray:
    """Sort eigenvalues in descending order, set rounding to zero, and refuse negative ones."""
    descending = stated_spectrum(name, eigenvalues)
    return np.where(descending > rank_tolerance(descending), descending, 0.0)


def stated_spectrum(name: str, eigenvalues: np.ndarray) -> np.ndarray:
    """Sort eigenvalues in descending order and refuse negative ones beyond rounding; small ones stay as they are."""
    descending = np.sort(vector(name, eigenvalues))[::-1]
    if descending.size and descending[-1] < -ROUNDING * max(descending[0], 0.0):
        raise negative_eigenvalue(name, descending[-1])
    return np.maximum(descending, 0.0)


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
    """Return `value` as a float array of any shape, finite or not, if it holds only real numbers."""
    if type(value) is np.ndarray and value.dtype == float:  # most often, in calls of one function by another
        return value
    if isinstance(value, np.ma.MaskedArray):
        value = _unmasked(name, value)
    elif isinstance(value, list | tuple):
        _refuse_hidden_non_numbers(name, value)
    elif isinstance(value, range):
        fits_into_memory(f"{name}, a range of {len(value)} numbers,", 8 * len(value), "pass fewer")
    try:
        value = _without_gradient(value)
        array = np.asarray(None if isinstance(value, bytearray) else value)  # a bytearray is text, as bytes are
    except Exception:  # rows of several lengths; a foreign class may raise anything
        raise ValueError(
            f"{name} must be numeric, got {type(value).__name__}; pass numbers, in rows of one length"
        ) from None
    if array.dtype.kind in "iuf":
        with np.errstate(over="ignore"):  # longer floats that overflow become infinite
            return array.astype(float, copy=False)
    if np.iscomplexobj(array):
        raise _not_real(name, _non_numeric_column(value))
    if array.dtype.names:
        fields = ", ".join(map(repr, array.dtype.names))
        raise ValueError(
            f"{name} must be numeric, got an array with the fields {fields}; "
            f"pass numpy.lib.recfunctions.structured_to_unstructured({name}), if all of them are numbers"
        )
    if array.dtype.kind == "O":
        return _from_objects(name, value, array)
    what = f"an array of {array.dtype}{_non_numeric_column(value)}" if array.ndim else shown(value)
    raise ValueError(f"{name} must be numeric, got {what}; pass numbers, such as 0.5")


def _without_gradient(value):
    """A tensor of PyTorch without its gradient, on the processor; any other value as it is."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
    if str(getattr(value, "dtype", "")).endswith("bfloat16"):  # NumPy has no such type
        return value.float() if hasattr(value, "float") else value.astype(np.float32)
    return value


def _unmasked(name: str, value: np.ma.MaskedArray) -> np.ndarray:
    if np.ma.is_masked(value):
        raise ValueError(
            f"{name} must have no masked entries, it has {np.ma.count_masked(value)}; fill them or leave them out"
        )
    return value.data


def _refuse_hidden_non_numbers(name: str, items, depth: int = 2) -> None:
    """Refuse booleans and masked entries in a list of rows, which NumPy would convert to numbers."""
    for item in items:
        if isinstance(item, list | tuple):
            if depth:
                _refuse_hidden_non_numbers(name, item, depth - 1)
        elif isinstance(item, np.ma.MaskedArray):
            _unmasked(name, item)
        elif isinstance(item, bool | np.bool_) or (isinstance(item, np.ndarray) and item.dtype.kind == "b"):
            raise ValueError(f"{name} must be numeric, got {shown(item)} among them; pass numbers, such as 0.5")


def _from_objects(name: str, value, array: np.ndarray) -> np.ndarray:
    """Numbers that NumPy has no type for (decimals, fractions, integers beyond 64 bits) as floats."""
    if array.ndim == 0 and hasattr(value, "toarray"):
        raise ValueError(f"{name} must be numeric, got a sparse {type(value).__name__}; pass its .toarray()")
    for index, item in np.ndenumerate(array):
        if isinstance(item, complex | np.complexfloating):
            raise _not_real(name, f" {_place(value, index)}" if array.ndim else "")
        if isinstance(item, NOT_NUMBERS) or not hasattr(item, "__float__"):
            missing = type(item).__name__ in ("NAType", "NaTType")  # of pandas, which this project does not import
            entry = "a missing value" if missing else shown(item)
            what = shown(value) if array.ndim == 0 else f"{entry} {_place(value, index)}"
            raise ValueError(f"{name} must be numeric, got {what}; pass numbers, such as 0.5")
    try:
        return array.astype(float)
    except OverflowError:
        raise ValueError(f"{name} must be finite, got a number beyond the range of floats; pass smaller ones") from None
    except Exception:  # a foreign class may raise anything
        raise ValueError(f"{name} must be numeric, got {shown(value)}; pass numbers, such as 0.5") from None


def _place(value, index: tuple[int, ...]) -> str:
    """The position of an entry, by the label of its column if the value is a data frame."""
    if len(index) == 2 and (labels := _labels(value)) is not None and index[1] < len(labels):
        return f"in row {index[0]} (counted from 0) of column {labels[index[1]]!r}"
    return f"at {list(index)}"


def _non_numeric_column(value) -> str:
    """The first column of a data frame without real numbers, as text for an error; empty for other values."""
    kinds = [getattr(dtype, "kind", "O") for dtype in getattr(value, "dtypes", ())]
    for label, kind in zip(_labels(value) or (), kinds, strict=False):
        if kind not in "iuf":
            return f" in column {label!r}"
    return ""


def _labels(value) -> list | None:
    """The labels of the columns of a data frame; None for any other value."""
    columns = getattr(value, "columns", None)
    try:
        return (
            None if columns is None else [label.item() if isinstance(label, np.generic) else label for label in columns]
        )
    except TypeError:
        return None


def _float_array(name: str, value) -> np.ndarray:
    array = real_array(name, value)
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} must be finite, it has {np.count_nonzero(~np.isfinite(array))} NaN or infinite entries; "
            "remove or replace NaN and infinite entries"
        )
    return array.copy()  # a copy, so that later changes of the caller's array do not reach it


def _not_real(name: str, where: str = "") -> ValueError:
    return ValueError(
        f"{name} must be real, got complex numbers{where}; pass their real part, if the imaginary part is only rounding"
    )


def shown(value) -> str:
    """A value as text for an error: in full if that is short, else its beginning, or its type."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if value is None or isinstance(value, bool | np.bool_ | float | str | bytes | int | np.number | list | tuple):
        try:
            text = repr(value)
        except ValueError:  # Python refuses to print whole numbers of more than some thousand digits
            return "a whole number of thousands of digits" if isinstance(value, int) else f"a {type(value).__name__}"
        return text if len(text) <= 60 else f"{text[:50]}..."
    return f"an object of type {type(value).__name__}"


def _memory() -> int:
    """The memory of this machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _fits(got: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return all(want is None or want == side for want, side in zip(wanted, got, strict=True))
