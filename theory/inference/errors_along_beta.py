"""The four errors along the path of optimal encoders, as functions of the water level t = beta s2.

**Factor once, evaluate many.** With W^T W = U diag(g) U^T the optimal encoder is V = U diag(1/(g+t)) U^T W^T, so the
error of its mean is built from two matrices that do not depend on t:

    V A - I = -U Y(t),   Y(t) = diag(t/(g+t)) U^T - diag(1/(g+t)) U^T W^T (A - W)
    E(t)    = U Y Gamma Y^T U^T + tau2 U diag(g/(g+t)^2) U^T.

**One formula for every family.** A block posterior is the diagonal one after an orthogonal rotation inside each group
(to the axes of the group's block of G = W^T W, where P_bb is diagonal), and all errors are invariant under this
rotation; so in the rotated axes Q_ii = t / (t + G_ii).

Everything is a sum of squares: nothing cancels if t or tau2 is small. The functions are analytic in t and take complex
t, which gives derivatives without subtraction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.inference.criteria import CRITERIA
from theory.inference.error import InferenceError, forward_kl, reverse_kl, true_posterior
from theory.model import GenerativeModel
from theory.partition import Posterior, partition
from theory.spectrum import principal_axes

__all__ = ["ErrorPath", "checked_decoder", "error_path", "rotate_to_blocks"]


ROUNDING = 4  # units of rounding per row that a product of two matrices may carry

# Water levels are taken in chunks whose (K, K) work arrays fit in this many numbers (8 MB of float64: a cache's worth).
CHUNK = 2**20


@dataclass(frozen=True, eq=False)
class ErrorPath:
    """The errors of a fixed decoder's optimal encoder, factored for evaluation at any water level; see the module.

    `modes` (K,) are the squared singular values g of W and `axes` (K, K) its right singular vectors U, `diagonal` (K,)
    the G_ii, `shrunk`, `mismatched` and `seen` (K, K) the matrices U^T L, U^T W^T (A - W) L and U^T W^T A L with
    L L^T = Gamma; `mismatch_rounding` (K, K) bounds the rounding errors of `mismatched`; entries of `seen` below theirs
    are zero.
    """

    modes: np.ndarray
    diagonal: np.ndarray
    axes: np.ndarray
    shrunk: np.ndarray
    mismatched: np.ndarray
    mismatch_rounding: np.ndarray
    seen: np.ndarray
    noise_variance: float
    exact_log_determinant: float
    exact_precision_root: np.ndarray | None

    def evaluate(self, water_levels: np.ndarray) -> InferenceError:
        """All four errors at each water level, from 0 to infinity (both included) or complex; arrays of that shape."""
        levels = np.asarray(water_levels)
        size = max(1, CHUNK // max(1, self.axes.size))
        starts = range(0, max(1, levels.size), size)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            chunks = [self._evaluate_chunk(levels.ravel()[start : start + size]) for start in starts]
        joined = {name: np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in CRITERIA}
        return InferenceError(**{name: values.reshape(levels.shape) for name, values in joined.items()})

    def _evaluate_chunk(self, t: np.ndarray) -> InferenceError:
        t = t[:, None]
        informed = self.modes > 0
        gains = np.where(informed, 1 / np.where(informed, self.modes + t, 1), 0)  # no gain where W is zero
        # t/(g+t) in the form whose slope does not cancel either, for small and for large t
        losses = np.where(t.real < self.modes, t * gains, 1 - self.modes * gains)
        residual = losses[:, :, None] * self.shrunk - gains[:, :, None] * self.mismatched
        noise = self.noise_variance * self.modes * gains**2
        errors = _row_squares(self.axes @ residual) + noise @ (self.axes**2).T
        relative = np.where(self.diagonal > 0, self.diagonal / t, 0)  # G_ii/t, so that Q_ii = 1/(1 + G_ii/t)
        log_variances, penalties = self._against_variances(t, relative, errors)

        factors = len(self.diagonal)
        log_det = log_variances.sum(axis=1)
        log_score = -(factors * np.log(2 * np.pi) + penalties.sum(axis=1)) / 2
        spread = 0.0
        if (root := self.exact_precision_root) is not None:
            rotated = root @ self.axes
            spread = _row_squares(rotated @ residual).sum(axis=1) + noise @ (rotated**2).sum(axis=0)
            spread = spread + (1 / (1 + relative)) @ (root**2).sum(axis=0)
        return InferenceError(
            mean_squared_error=_row_squares(residual).sum(axis=1) + noise.sum(axis=1),
            forward_kl=forward_kl(log_score, self.exact_log_determinant, factors),
            reverse_kl=reverse_kl(spread, self.exact_log_determinant, log_det, factors),
            log_score=log_score,
        )

    def _against_variances(
        self, t: np.ndarray, relative: np.ndarray, errors: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """log Q_ii, and the term of each factor in the log score: log Q_ii + E_ii / Q_ii.

        At t = 0, where Q_ii vanishes, the limits: a remaining error costs like 1/t, which exceeds the gain of log t.
        With noise in the data some error always remains; without, an error below the rounding of `mismatched` is zero.
        """
        vanishing = (t == 0) & (self.diagonal > 0)
        relative = np.where(vanishing, 0, relative)
        log_variances = np.where(vanishing, -np.inf, -np.log1p(relative))
        penalties = np.where(vanishing, 0, log_variances) + errors * (1 + relative)
        if vanishing.any():
            gains = np.divide(1, self.modes, out=np.zeros(len(self.modes)), where=self.modes > 0)
            rounding = np.abs(self.axes) @ (gains[:, np.newaxis] * self.mismatch_rounding)
            remains = (self.noise_variance > 0) | (errors > _row_squares(rounding))
            any_remains = (vanishing & remains).any(axis=1, keepdims=True)
            penalties = np.where(vanishing, np.where(any_remains, np.inf, -np.inf), penalties)
        return log_variances, penalties


def error_path(truth: GenerativeModel, decoder: np.ndarray | None, posterior: Posterior) -> ErrorPath:
    """Factor a truth and a decoder (the truth's loading by default) once, for any number of water levels.

    Raises
    ------
    ValueError
        if the decoder's shape is not that of the truth's loading, or the groups are not a partition.
    """
    loading = truth.loading
    decoder = checked_decoder(truth, decoder)
    to_axes_of_groups, rotated = rotate_to_blocks(decoder, partition(posterior, truth.latent_dim))
    factor_root = to_axes_of_groups.T @ truth.factor_root
    exact = true_posterior(truth)

    left, singular, axes = principal_axes(rotated)
    scaled = left * singular
    difference = loading - decoder  # zero to the last digit for the truth's decoder
    rounding = ROUNDING * max(decoder.shape) * np.finfo(float).eps
    seen = scaled.T @ loading @ truth.factor_root
    seen_rounding = rounding * np.abs(scaled).T @ np.abs(loading) @ np.abs(truth.factor_root)
    return ErrorPath(
        modes=singular**2,
        diagonal=np.sum(rotated**2, axis=0),
        axes=axes,
        shrunk=axes.T @ factor_root,
        mismatched=scaled.T @ difference @ truth.factor_root,
        mismatch_rounding=rounding * np.abs(scaled).T @ np.abs(difference) @ np.abs(truth.factor_root),
        seen=np.where(np.abs(seen) > seen_rounding, seen, 0.0),
        noise_variance=truth.noise_variance,
        exact_log_determinant=exact.log_determinant,
        exact_precision_root=None if exact.singular else exact.precision_root @ to_axes_of_groups,
    )


def checked_decoder(truth: GenerativeModel, decoder: np.ndarray | None) -> np.ndarray:
    """The decoder, by default the truth's loading, checked for its shape and for products that overflow."""
    if decoder is None:
        return truth.loading
    decoder = validation.matrix("decoder", decoder, truth.loading.shape)
    return validation.within_decades("decoder", decoder, validation.AMPLITUDE_DECADES)


def rotate_to_blocks(decoder: np.ndarray, groups: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The orthogonal R, block-diagonal on the groups, that makes each diagonal block of W^T W diagonal, and W R.

    Columns of W R are exactly zero if the columns of their group are linearly dependent. Only this function decides
    that (by `principal_axes`): everything about a posterior family follows from the columns returned here.
    """
    rotation, rotated = np.eye(decoder.shape[1]), decoder.copy()
    for group in groups:
        if len(group) > 1:
            left, singular, axes = principal_axes(decoder[:, group])
            rotation[np.ix_(group, group)], rotated[:, group] = axes, left * singular
    return rotation, rotated


def _row_squares(matrices: np.ndarray) -> np.ndarray:
    """Sum of squares along the last axis, without conjugation: analytic, so complex t gives derivatives."""
    return np.einsum("...ij,...ij->...i", matrices, matrices)
