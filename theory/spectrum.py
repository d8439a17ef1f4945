"""Eigenvalues to the digits that a covariance determines, in whatever units its variables are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from theory import validation
from theory.gaussian import SINGULAR, unit_spectrum
from theory.large_covariances import modes_of_operator, modes_of_rows
from theory.leading_modes import LEAST_RESOLVED, leading_modes, leading_modes_and_mean
from theory.moments import Moments, as_moments
from theory.singular_values import GRADED, principal_axes

__all__ = ["Spectrum"]


NEGLIGIBLE_PART = 1e-7  # component of a variable in a direction, up to which omitting it is rounding in correlations


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The eigenvalues of a covariance, checked once: descending, non-negative, and zero where they are rounding.

    Attributes
    ----------
    eigenvalues : (D,) array
    directions : (D, n) array, or None
        eigenvectors in columns, in the order of the eigenvalues; None if only eigenvalues were given.
    resolution : float
        the size up to which an eigenvalue may be rounding.
    """

    eigenvalues: np.ndarray
    directions: np.ndarray | None = None
    resolution: float = 0.0

    def __len__(self) -> int:
        """D, the number of data dimensions."""
        return len(self.eigenvalues)

    @cached_property
    def rank(self) -> int:
        return np.count_nonzero(self.eigenvalues)

    @cached_property
    def tail_sums(self) -> np.ndarray:
        """The sums beyond the first k eigenvalues, sum_{i > k} l_i for k = 0 .. D; the smallest are added first."""
        return np.concatenate([np.cumsum(self.eigenvalues[::-1])[::-1], [0.0]])

    @classmethod
    def stated(cls, eigenvalues) -> Spectrum:
        """Variances in any order, as they are stated, however small; or those of a covariance or of `Moments`."""
        return cls(_eigenvalues(eigenvalues, validation.stated_spectrum))

    @classmethod
    def computed(cls, eigenvalues) -> Spectrum:
        """Eigenvalues in any order that a computation gave: those that are rounding become zero.

        Of a covariance or `Moments`, which determine more digits of some, it is decided there what is rounding.
        """
        return cls(_eigenvalues(eigenvalues, validation.non_negative_spectrum))

    @classmethod
    def of(cls, covariance: np.ndarray, latent_dim: int) -> Spectrum:
        """Of a symmetric (D, D) matrix, with all eigenvectors; see `_known` for the digits of the small ones."""
        return cls(*_known(covariance, *np.linalg.eigh(covariance), latent_dim))

    @classmethod
    def of_moments(cls, moments: Moments, latent_dim: int, *, others_by_mean: bool = False) -> Spectrum:
        """That of a covariance with its K leading eigenvectors, as `leading`.

        Of fewer observations than variables no D x D matrix is made, and there are no eigenvectors of the eigenvalue
        zero. Of many sparse ones no matrix is made with `others_by_mean`.
        """
        rows = moments.rows
        if rows is not None and others_by_mean and rows.is_large:
            return cls.of_operator(rows.operator(), latent_dim, float(rows.variances.sum()))
        if moments.are_few:
            return cls(*modes_of_rows(rows, latent_dim, others_by_mean=others_by_mean))
        return cls.leading(moments.covariance, latent_dim, others_by_mean=others_by_mean)

    @classmethod
    def of_operator(cls, operator, latent_dim: int, trace: float) -> Spectrum:
        """That of an operator with its K leading eigenvectors; the other eigenvalues are replaced by their mean."""
        return cls(*modes_of_operator(operator, latent_dim, trace))

    @classmethod
    def leading(cls, covariance: np.ndarray, latent_dim: int, *, others_by_mean: bool = False) -> Spectrum:
        """The same with the K leading eigenvectors alone, which costs less.

        With `others_by_mean` the eigenvalues beyond the K-th may be left out, each replaced by their mean: enough where
        they enter by their sum alone.
        """
        modes = leading_modes_and_mean if others_by_mean else leading_modes
        return cls(*_known(covariance, *modes(covariance, latent_dim), latent_dim))


def _eigenvalues(source, of_numbers: Callable) -> np.ndarray:
    """Those of a covariance or of `Moments`, descending; `of_numbers` checks and sorts eigenvalues that are given."""
    if isinstance(source, Moments):
        moments = as_moments(source)
        if moments.are_few:
            return modes_of_rows(moments.rows, 0)[0]
        source = moments.covariance
    numbers = validation.real_array("eigenvalues", source)
    if numbers.ndim == 2:
        covariance = validation.symmetric_matrix("eigenvalues", numbers)
        validation.within_decades("eigenvalues", covariance, validation.VARIANCE_DECADES)
        return Spectrum.of(covariance, len(covariance)).eigenvalues
    numbers = validation.vector("eigenvalues", numbers)
    validation.within_decades("eigenvalues", numbers, validation.VARIANCE_DECADES)
    return of_numbers("eigenvalues", numbers)


def _known(
    covariance: np.ndarray, ascending: np.ndarray, directions: np.ndarray, latent_dim: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Eigenvalues of a covariance, descending and zero where they are rounding; eigenvectors; resolution.

    Eigenvalues are usually computed with the rounding error of the largest. That is not enough if the eigenvalues
    beyond the K-th (or the smallest, if K >= D) are small against it while the variables differ in size, so that the
    covariance itself determines the small ones: then they come from the covariance scaled to unit diagonal.

    Parameters
    ----------
    covariance : (D, D) array, symmetric
    ascending, directions : (D,) and (D, n) arrays
        its eigenvalues and eigenvectors as from `numpy.linalg.eigh`, or the last n eigenvectors.
    latent_dim : int, K

    Returns
    -------
    eigenvalues : (D,) array
    directions : (D, n) array, in columns, in the order of the eigenvalues
    resolution : float
        the size up to which an eigenvalue may be rounding.
    """
    eigenvalues = validation.non_negative_spectrum("covariance", ascending)
    diagonal = np.diagonal(covariance)
    rest = eigenvalues[latent_dim:].sum() if latent_dim < len(eigenvalues) else eigenvalues.min(initial=np.inf)
    spread = diagonal[diagonal > 0].min(initial=np.inf) < LEAST_RESOLVED * diagonal.max(initial=0.0)
    if eigenvalues.size and rest < LEAST_RESOLVED * eigenvalues[0] and spread:
        values, axes, scales = unit_spectrum(covariance)
        varies = values > 0  # the other columns would be zero
        left, singular, _ = principal_axes(scales[:, np.newaxis] * axes[:, varies] * np.sqrt(values[varies]))
        singular = np.pad(singular, (0, len(values) - len(singular)))
        # The relative error of each eigenvalue: rounding over the least eigenvalue of the correlations, or the error of
        # `principal_axes`, whichever is larger.
        rounding = validation.rank_tolerance(values)
        share = max(rounding / values[varies].min(), len(values) * np.finfo(float).eps / GRADED)
        least = (singular[singular > 0] ** 2).min()
        resolution = float(max(share * least, _hidden_by_rounding(values, axes, scales)))
        return singular**2, _completed(left, directions[:, ::-1]), resolution
    return eigenvalues, directions[:, ::-1], float(validation.rank_tolerance(eigenvalues))


def _completed(left: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """The first columns of `left`, as many as of `directions`; those that are missing are made orthogonal to them."""
    rank, wanted = left.shape[1], directions.shape[1]
    if rank < wanted:
        return np.hstack([left, np.linalg.qr(np.hstack([left, directions[:, rank:]]))[0][:, rank:]])
    return left[:, :wanted]


def _hidden_by_rounding(values: np.ndarray, axes: np.ndarray, scales: np.ndarray) -> float:
    """The largest size of eigenvalues that are set to zero because the correlations E are singular up to rounding, e.

    With S = D E D and E v = 0, the quadratic form of S along D^-1 v is at most e / |D^-1 v|^2. The smallest variable
    with a component in v beyond rounding decides; the next v are taken orthogonal to its row, up to the largest
    variable.
    """
    left, size = axes[:, values == 0], 0.0
    order = np.argsort(scales, kind="stable")
    independent = order[: left.shape[1]]
    # If the smallest variables are independent in v, one decomposition has all of their parts.
    parts = np.abs(np.diagonal(np.linalg.qr(left[independent].T, mode="r")))
    if (parts > NEGLIGIBLE_PART).all():
        size, order = ((scales[independent] / parts) ** 2).max(initial=0.0), order[:0]
    for variable in order:
        row = left[variable]
        part = np.linalg.norm(row)
        if part > NEGLIGIBLE_PART:
            size = max(size, (scales[variable] / part) ** 2)
            mirror = row / part  # of the Householder reflection that maps the row to the first axis
            mirror[0] += np.copysign(1.0, mirror[0])
            mirror /= np.linalg.norm(mirror)
            left = (left - 2 * np.outer(left @ mirror, mirror))[:, 1:]
    return SINGULAR * len(values) * np.finfo(float).eps * size
