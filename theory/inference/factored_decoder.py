"""A decoder that has been checked and factored once, for the errors of its encoder and for the noise that it learns.

A block posterior is the diagonal one after an orthogonal rotation inside each group, to the axes of the group's block
of W^T W, and no error of inference changes under such a rotation. With R this rotation,

    W R = left diag(w) axes^T,    G_ii = |(W R)_i|^2,

so that the posterior variances of the family are t / (t + G_ii), and those of the full family t / (t + w_k^2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from theory import validation
from theory.model import GenerativeModel
from theory.partition import Posterior, partition
from theory.singular_values import principal_axes

__all__ = ["FactoredDecoder"]


@dataclass(frozen=True, eq=False)
class FactoredDecoder:
    """A fixed decoder with its principal axes, after the rotation inside the groups of a posterior family.

    Attributes
    ----------
    decoder : (D, K) array, W
    rotation : (K, K) array, R
        orthogonal, block-diagonal on the groups; it makes each diagonal block of W^T W diagonal.
    rotated : (D, K) array, W R
        a column is zero, exactly, where the columns of its group depend on each other. Everything about a posterior
        family follows from these columns.
    left, singular, axes : (D, K), (K,) and (K, K) arrays
        of W R, as `principal_axes` has them; how many singular values are zero is decided there.
    """

    decoder: np.ndarray
    rotation: np.ndarray
    rotated: np.ndarray
    left: np.ndarray
    singular: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(cls, truth: GenerativeModel, decoder: np.ndarray | None, posterior: Posterior) -> FactoredDecoder:
        """Check and factor a decoder, by default the truth's loading.

        Raises
        ------
        ValueError
            if the decoder has another shape than the truth's loading or entries too large to compute with, or
            `posterior` is not a family.
        """
        if decoder is None:
            decoder = truth.loading
        else:
            decoder = validation.matrix("decoder", decoder, truth.loading.shape)
            decoder = validation.within_decades("decoder", decoder, validation.AMPLITUDE_DECADES)
        rotation, rotated = np.eye(decoder.shape[1]), decoder.copy()
        for group in partition(posterior, truth.latent_dim):
            if len(group) > 1:
                left, singular, axes = principal_axes(decoder[:, group])
                rotation[np.ix_(group, group)], rotated[:, group] = axes, left * singular
        return cls(decoder, rotation, rotated, *principal_axes(rotated))

    @property
    def rank(self) -> int:
        return np.count_nonzero(self.singular)

    @cached_property
    def squared_norms(self) -> np.ndarray:
        """The G_ii, (K,); zero, exactly, for a latent that the decoder does not use."""
        return np.sum(self.rotated**2, axis=0)
