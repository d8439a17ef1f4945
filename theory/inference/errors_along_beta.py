"""The four errors along the path of optimal encoders, as functions of the water level t = beta s2.

**Factor once, evaluate many.** With W^T W = U diag(g) U^T the optimal encoder is V = U diag(1/(g+t)) U^T W^T, so the
error of its mean is built from two matrices that do not depend on t:

    V A - I = -U Y(t),   Y(t) = diag(t/(g+t)) U^T - diag(1/(g+t)) U^T W^T (A - W)
    E(t)    = U Y Gamma Y^T U^T + tau2 U diag(g/(g+t)^2) U^T.

**One formula for every family.** In the axes of the groups (`theory.inference.factored_decoder`) every family is
diagonal, with Q_ii = t / (t + G_ii), G = W^T W there.

If W = A and Gamma = c I, then Y Gamma Y^T = c diag(t^2/(g+t)^2): K^2 operations for each t instead of K^3.

Everything is a sum of squares: nothing cancels if t or tau2 is small. The functions are analytic in t and take complex
t, which gives derivatives without subtraction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.inference.criteria import CRITERIA
from theory.inference.error import InferenceError, forward_kl, reverse_kl, true_posterior
from theory.inference.factored_decoder import FactoredDecoder
from theory.model import GenerativeModel

__all__ = ["ErrorPath", "error_path"]


ROUNDING = 4  # units of rounding per row that a product of two matrices may carry

# Water levels are taken in chunks whose (K, K) work arrays fit in this many numbers (8 MB of float64: a cache's worth).
CHUNK = 2**20


@dataclass(frozen=True, eq=False)
class ErrorPath:
    """The errors of a fixed decoder's optimal encoder, factored for evaluation at any water level; see the module.

    `modes` (K,) are the squared singular values g of W and `axes` (K, K) its right singular vectors U, `diagonal` (K,)
    the G_ii, `shrunk`, `mismatched` and `seen` (K, K) the matrices U^T L, U^T W^T (A - W) L and U^T W^T A L with
    L L^T = Gamma; `mismatch_rounding` (K, K) bounds the rounding errors of `mismatched`; entries of `seen` below theirs
    are zero. `common_variance` is c where W = A and Gamma = c I, None elsewhere.
    """

    modes: np.ndarray
    diagonal: np.ndarray
    axes: np.ndarray
    shrunk: np.ndarray
    mismatched: np.ndarray
    mismatch_rounding: np.ndarray
    seen: np.ndarray
    noise_variance: float
    common_variance: float | None
    exact_log_determinant: float
    exact_precision_root: np.ndarray | None

    def evaluate(self, water_levels: np.ndarray) -> InferenceError:
        """All four errors at each water level, from 0 to infinity (both included) or complex; arrays of that shape."""
        levels = np.asarray(water_levels)
        size = max(1, CHUNK // max(1, self.axes.size if self.common_variance is None else len(self.axes)))
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
        noise = self.noise_variance * self.modes * gains**2
        residual = None
        if self.common_variance is not None:
            noise = noise + self.common_variance * losses**2  # all of E(t) is diagonal in these axes
        else:
            residual = losses[:, :, None] * self.shrunk - gains[:, :, None] * self.mismatched
        errors = noise @ (self.axes**2).T
        squares = noise.sum(axis=1)
        if residual is not None:
            errors = errors + _row_squares(self.axes @ residual)
            squares = squares + _row_squares(residual).sum(axis=1)
        relative = np.where(self.diagonal > 0, self.diagonal / t, 0)  # G_ii/t, so that Q_ii = 1/(1 + G_ii/t)
        log_variances, penalties = self._against_variances(t, relative, errors)

        factors = len(self.diagonal)
        log_det = log_variances.sum(axis=1)
        log_score = -(factors * np.log(2 * np.pi) + penalties.sum(axis=1)) / 2
        spread = 0.0
        if (root := self.exact_precision_root) is not None:
            rotated = root @ self.axes
            spread = noise @ (rotated**2).sum(axis=0) + (1 / (1 + relative)) @ (root**2).sum(axis=0)
            if residual is not None:
                spread = spread + _row_squares(rotated @ residual).sum(axis=1)
        return InferenceError(
            mean_squared_error=squares,
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


def error_path(truth: GenerativeModel, factored: FactoredDecoder) -> ErrorPath:
    """What the errors of a decoder's optimal encoders need, for any number of water levels."""
    decoder, rotation = factored.decoder, factored.rotation
    factor_root = rotation.T @ truth.factor_root
    exact = true_posterior(truth)
    scaled = factored.left * factored.singular
    difference = truth.loading - decoder  # zero to the last digit for the truth's decoder
    rounding = ROUNDING * max(decoder.shape) * np.finfo(float).eps
    seen = scaled.T @ truth.loading @ truth.factor_root
    seen_rounding = rounding * np.abs(scaled).T @ np.abs(truth.loading) @ np.abs(truth.factor_root)
    return ErrorPath(
        modes=factored.singular**2,
        diagonal=factored.squared_norms,
        axes=factored.axes,
        shrunk=factored.axes.T @ factor_root,
        mismatched=scaled.T @ difference @ truth.factor_root,
        mismatch_rounding=rounding * np.abs(scaled).T @ np.abs(difference) @ np.abs(truth.factor_root),
        seen=np.where(np.abs(seen) > seen_rounding, seen, 0.0),
        noise_variance=truth.noise_variance,
        common_variance=None if np.any(difference) else _common_variance(truth.factor_covariance),
        exact_log_determinant=exact.log_determinant,
        exact_precision_root=None if exact.singular else exact.precision_root @ rotation,
    )


def _common_variance(covariance: np.ndarray) -> float | None:
    """c of a covariance c I, None of any other."""
    variance = float(covariance.flat[0]) if covariance.size else 1.0
    return variance if np.array_equal(covariance, variance * np.eye(len(covariance))) else None


def _row_squares(matrices: np.ndarray) -> np.ndarray:
    """Sum of squares along the last axis, without conjugation: analytic, so complex t gives derivatives."""
    return np.einsum("...ij,...ij->...i", matrices, matrices)
