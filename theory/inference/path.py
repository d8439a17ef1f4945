"""The four errors along the path of optimal encoders, as functions of the water level t = beta s2.

Factor once, evaluate many. With W^T W = U diag(g) U^T the optimal encoder is V = U diag(1/(g+t)) U^T W^T, so the error
of its mean is made of two matrices that do not depend on t:

    V A - I = -U R(t),   R(t) = diag(t/(g+t)) U^T - diag(1/(g+t)) U^T W^T (A - W)
    E(t)    = U R Gamma R^T U^T + tau2 U diag(g/(g+t)^2) U^T.

A block posterior is the diagonal one after an orthogonal rotation inside each group (to the axes of the group's block
of W^T W, where P_bb is diagonal), and no error sees such a rotation; so one code serves every family: Q_ii = t / (t +
G_ii). Sums of squares throughout: nothing cancels when t or tau2 is small. The functions are analytic in t and take
complex t, which gives derivatives without subtraction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.inference.error import InferenceError, forward_kl, reverse_kl, true_posterior
from theory.model import GenerativeModel
from theory.partition import Posterior, partition
from theory.spectrum import principal_axes

__all__ = ["CRITERIA", "ErrorPath", "block_rotation", "error_path"]

CRITERIA = ("mean_squared_error", "forward_kl", "reverse_kl", "log_score")

# Water levels are taken in chunks whose (K, K) work arrays fit in this many numbers (8 MB of float64: a cache's worth).
CHUNK = 2**20


@dataclass(frozen=True, eq=False)
class ErrorPath:
    """The errors of a known decoder's optimal encoder, ready to be evaluated at any water level; see the module.

    `modes` (K,) are the squared singular values g of W and `axes` (K, K) its right singular vectors U, `diagonal` (K,)
    the G_ii, `shrunk` and `mismatched` (K, K) the matrices U^T L and U^T W^T (A - W) L with L L^T = Gamma.
    """

    modes: np.ndarray
    diagonal: np.ndarray
    axes: np.ndarray
    shrunk: np.ndarray
    mismatched: np.ndarray
    noise_variance: float
    exact_log_determinant: float
    exact_precision_root: np.ndarray | None

    def evaluate(self, water_levels: np.ndarray) -> InferenceError:
        """All four errors at each water level t >= 0 (real or complex); arrays of the shape of `water_levels`."""
        levels = np.asarray(water_levels)
        size = max(1, CHUNK // max(1, self.axes.size))
        starts = range(0, max(1, levels.size), size)
        chunks = [self._evaluate_chunk(levels.ravel()[start : start + size]) for start in starts]
        joined = {name: np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in CRITERIA}
        return InferenceError(**{name: values.reshape(levels.shape) for name, values in joined.items()})

    def _evaluate_chunk(self, t: np.ndarray) -> InferenceError:
        t = t[:, None]
        informed = self.modes > 0
        gains = np.where(informed, 1 / np.where(informed, self.modes + t, 1), 0)  # no gain where the decoder is blind
        # t/(g+t) in the form whose slope does not cancel either, at whichever end t is
        losses = np.where(t.real < self.modes, t * gains, 1 - self.modes * gains)
        residual = losses[:, :, None] * self.shrunk - gains[:, :, None] * self.mismatched
        noise = self.noise_variance * self.modes * gains**2
        errors = _row_squares(self.axes @ residual) + noise @ (self.axes**2).T
        log_variances, penalties = self._against_variances(t, errors)

        factors = len(self.diagonal)
        log_det = log_variances.sum(axis=1)
        log_score = -(factors * np.log(2 * np.pi) + penalties.sum(axis=1)) / 2
        spread = 0.0
        if (root := self.exact_precision_root) is not None:
            rotated = root @ self.axes
            variances = np.where(self.diagonal > 0, t / np.where(self.diagonal > 0, t + self.diagonal, 1), 1)
            spread = _row_squares(rotated @ residual).sum(axis=1) + noise @ (rotated**2).sum(axis=0)
            spread = spread + variances @ (root**2).sum(axis=0)
        return InferenceError(
            mean_squared_error=_row_squares(residual).sum(axis=1) + noise.sum(axis=1),
            forward_kl=forward_kl(log_score, self.exact_log_determinant, factors),
            reverse_kl=reverse_kl(spread, self.exact_log_determinant, log_det, factors),
            log_score=log_score,
        )

    def _against_variances(self, t: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """log Q_ii, and what the log score pays for a factor: log Q_ii + E_ii / Q_ii.

        At t = 0, where Q_ii vanishes, the limits: an error that stays costs like 1/t, which beats the gain of log t.
        """
        sharp = (t == 0) & (self.diagonal > 0)
        precision = 1 + np.where(sharp, 0, self.diagonal) / np.where(t == 0, 1, t)
        log_variances = np.where(sharp, -np.inf, -np.log(precision))
        penalties = np.where(sharp, 0, log_variances) + errors * precision
        if sharp.any():
            missed = errors > np.finfo(float).eps ** 2 * np.sum(self.shrunk**2)
            anything_missed = (sharp & missed).any(axis=1, keepdims=True)
            penalties = np.where(sharp, np.where(anything_missed, np.inf, -np.inf), penalties)
        return log_variances, penalties


def error_path(truth: GenerativeModel, decoder: np.ndarray | None, posterior: Posterior) -> ErrorPath:
    """Factor a truth and a decoder (the truth's loading by default) once, for any number of water levels.

    Raises
    ------
    ValueError
        if the decoder's shape is not that of the truth's loading, or the groups are no partition.
    """
    decoder = truth.loading if decoder is None else validation.matrix("decoder", decoder, truth.loading.shape)
    to_axes_of_groups = block_rotation(decoder, partition(posterior, truth.latent_dim))
    decoder, loading = decoder @ to_axes_of_groups, truth.loading @ to_axes_of_groups
    factor_root = to_axes_of_groups.T @ truth.factor_root
    exact = true_posterior(truth)

    left, singular, axes = principal_axes(decoder)
    return ErrorPath(
        modes=singular**2,
        diagonal=np.sum(decoder**2, axis=0),
        axes=axes,
        shrunk=axes.T @ factor_root,
        mismatched=(left * singular).T @ (loading - decoder) @ factor_root,
        noise_variance=truth.noise_variance,
        exact_log_determinant=exact.log_determinant,
        exact_precision_root=None if exact.singular else exact.precision_root @ to_axes_of_groups,
    )


def block_rotation(decoder: np.ndarray, groups: tuple[np.ndarray, ...]) -> np.ndarray:
    """The orthogonal matrix, block-diagonal on the groups, that makes each diagonal block of W^T W diagonal."""
    rotation = np.eye(decoder.shape[1])
    for group in groups:
        if len(group) > 1:
            rotation[np.ix_(group, group)] = principal_axes(decoder[:, group])[2]
    return rotation


def _row_squares(matrices: np.ndarray) -> np.ndarray:
    """Sum of squares along the last axis, without conjugation: analytic, so complex t gives derivatives."""
    return np.einsum("...ij,...ij->...i", matrices, matrices)
