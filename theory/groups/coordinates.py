"""The grouped objective for a fixed decoder in coordinates without constraints, of one problem or of many at once.

theta = (E row by row, entries of the Cholesky factors of Q, perhaps log s2), with the letters of
`theory.groups.fixed_decoder`, which makes the coordinates from decoder and data. With W = U T, U an orthonormal basis
of the decoder's range, and Y = (U^T F_1, 0), the distortion is

    least + |Y - T E|^2 + |T L|^2,    Q = L L^T.

Loss, gradient and Hessian are in closed form. Every function takes one theta (n,) or many (..., n). Problems of one
shape (numbers of latents and columns, groups, family, learned noise or not) are stacked, with one theta each, so that a
search takes a step in all of them at once. Exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from theory.groups.objective import Weights, code_cost, code_slope, log_det_terms

__all__ = ["Coordinates"]

STACKED = ("triangle", "target", "least", "strength", "cross")  # with an axis for the problems, where there are many


@dataclass(frozen=True, eq=False)
class Coordinates:
    """One problem, or many with a leading axis for these.

    Attributes
    ----------
    triangle : (..., r, K) array, T
    target : (..., r, columns of E) array, Y
    least : (...) array
        what no encoder changes of the distortion.
    strength : (..., K, K) array, W^T W
    cross : (..., K, columns of E) array, W^T F; its last columns are zero
    noise_variance : (...) array, or None for a learned noise
    data_dim : int, D
    groups, blocks : tuples of arrays of latents
    entries : rows and columns of the lower triangles of the blocks
    """

    triangle: np.ndarray
    target: np.ndarray
    least: np.ndarray
    strength: np.ndarray
    cross: np.ndarray
    noise_variance: np.ndarray | None
    data_dim: int
    groups: tuple[np.ndarray, ...]
    blocks: tuple[np.ndarray, ...]
    entries: tuple[np.ndarray, np.ndarray]

    @classmethod
    def stacked(cls, problems: Sequence[Coordinates]) -> Coordinates:
        """Many problems of one shape, with the groups and blocks of the first."""
        arrays = {name: np.stack([getattr(one, name) for one in problems]) for name in STACKED}
        if problems[0].noise_variance is not None:
            arrays["noise_variance"] = np.array([one.noise_variance for one in problems])
        return replace(problems[0], **arrays)

    @property
    def shape(self) -> tuple:
        """What problems that can be stacked have in common."""
        parts = (tuple(map(tuple, one)) for one in (self.groups, self.blocks))
        return self.target.shape, self.cross.shape, self.noise_variance is None, self.data_dim, *parts

    def rows(self, which: np.ndarray) -> Coordinates:
        """The problems at some places of a stack; one that is not stacked is itself for any."""
        if self.strength.ndim == 2:
            return self
        arrays = {name: getattr(self, name)[which] for name in STACKED}
        if self.noise_variance is not None:
            arrays["noise_variance"] = self.noise_variance[which]
        return replace(self, **arrays)

    def unpack(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """E (..., K, columns), the Cholesky factor of Q (..., K, K), and s2 (...)."""
        size, rank = self.cross.shape[-2:]
        rows, columns = self.entries
        signal, values, rest = np.split(theta, [size * rank, size * rank + len(rows)], axis=-1)
        factor = np.zeros((*theta.shape[:-1], size, size), dtype=theta.dtype)
        factor[..., rows, columns] = np.where(rows == columns, np.exp(values), values)
        noise = self.noise_variance if self.noise_variance is not None else np.exp(rest[..., 0])
        return signal.reshape(*theta.shape[:-1], size, rank), factor, noise

    def code(self, theta: np.ndarray) -> np.ndarray:
        """C = E E^T + Q."""
        signal, factor, _ = self.unpack(theta)
        return signal @ signal.mT + factor @ factor.mT

    def loss(self, theta: np.ndarray, weights: Weights):
        """The grouped objective."""
        signal, factor, noise = self.unpack(theta)
        spread = np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(-1)
        return (
            self._distortion(signal, factor) / (2 * noise)
            + self.data_dim / 2 * np.log(2 * np.pi * noise)
            + code_cost(signal @ signal.mT + factor @ factor.mT, weights, self.groups)
            - weights.mutual_information * spread
        )

    def gradient(self, theta: np.ndarray, weights: Weights) -> np.ndarray:
        """Gradient in theta; analytic, so a complex step differentiates it."""
        _, _, noise = self.unpack(theta)
        slope = self.strength / noise[..., np.newaxis, np.newaxis]
        slope = slope + code_slope(self.code(theta), weights, self.groups)
        return self.pull_back(theta, slope, weights.mutual_information)

    def pull_back(self, theta: np.ndarray, slope: np.ndarray, spread: float) -> np.ndarray:
        """Gradient of 1/2 tr(slope C) - tr(W^T F E^T) / s2 - (spread/2) log det Q at fixed slope; and in log s2."""
        signal, factor, noise = self.unpack(theta)
        rows, columns = self.entries
        by_factor = (slope @ factor)[..., rows, columns]
        diagonal = rows == columns
        by_factor = np.where(diagonal, by_factor * factor[..., rows, columns] - spread, by_factor)
        by_signal = slope @ signal - self.cross / noise[..., np.newaxis, np.newaxis]
        size, rank = self.cross.shape[-2:]
        parts = [by_signal.reshape(*theta.shape[:-1], size * rank), by_factor]
        if self.noise_variance is None:
            by_noise = self.data_dim / 2 - self._distortion(signal, factor) / (2 * noise)
            parts.append(by_noise[..., np.newaxis])
        return np.concatenate(parts, axis=-1)

    def least_share(self, theta: np.ndarray, weights: Weights) -> np.ndarray:
        """The smallest variance of a direction in a block of the code, in units of decoder and prior, (...)."""
        noise = self.unpack(theta)[2][..., np.newaxis]
        price = np.diagonal(self.strength, axis1=-2, axis2=-1) / noise + weights.dimension_wise
        unit = 1 / np.sqrt(np.where(price > 0, price, 1.0))
        code = self.code(theta) / unit[..., np.newaxis] / unit[..., np.newaxis, :]
        return np.min(
            [np.linalg.eigvalsh(code[..., block[:, np.newaxis], block])[..., 0] for block in self.blocks], axis=0
        )

    def hessian(self, theta: np.ndarray, weights: Weights) -> np.ndarray:
        """Second derivatives in theta; (..., n) -> (..., n, n)."""
        return self.derivatives(theta, weights)[1]

    def derivatives(self, theta: np.ndarray, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
        """Gradient and Hessian, of a real theta.

        For a term w log det C_gg with C = J J^T, J = (E, L), L the factor of Q, and P = (C_gg)^-1, in J_ia and J_jb

            w (P_ij [a = b] - P_ij (J_g^T P J_g)_ab - (P J_g)_ib (P J_g)_ja)    for i, j in g;

        the first of these, summed over terms and distortion, is H_ij [a = b].
        """
        signal, factor, noise = self.unpack(theta)
        root, (rows, columns) = np.concatenate([signal, factor], axis=-1), self.entries
        (size, rank), many = self.cross.shape[-2:], theta.shape[:-1]
        seen = size * rank
        # Row i and column a of J, for each coordinate except the noise; j and b, for those of L.
        i = np.concatenate([np.repeat(np.arange(size), rank), rows])[:, np.newaxis]
        a = np.concatenate([np.tile(np.arange(rank), size), rank + columns])[:, np.newaxis]
        j, b = rows, rank + columns
        slope = np.zeros((*many, size, size)) + weights.dimension_wise * np.eye(size)
        slope += self.strength / noise[..., np.newaxis, np.newaxis]
        in_signal = np.zeros((*many, size, size, rank, rank))  # in the order i, j, a, b
        crossed = np.zeros((*many, seen, seen))  # in the order (i, b), (j, a)
        in_factor = np.zeros((*many, len(i), len(rows)))
        for weight, groups in log_det_terms(weights, self.groups, size):
            inverse, inner, group = _log_det_parts(root, groups)
            slope += weight * inverse
            pulled, weighted = inverse @ root, -weight * inverse
            own = inner[..., group, :rank, :rank]
            in_signal += weighted[..., np.newaxis, np.newaxis] * own[..., np.newaxis, :, :]
            member = (group[:, np.newaxis] == np.arange(len(groups)))[:, np.newaxis]
            by_group = (pulled[..., :rank, np.newaxis] * member).reshape(*many, seen, len(groups))
            crossed += (-weight * by_group) @ by_group.mT
            term = _at(pulled, i, b) * _at(pulled, j, a) * np.where(group[i] == group[j], -weight, 0.0)
            stacked = inner.reshape(*many, -1, root.shape[-1])
            in_factor += term + _at(weighted, i, j) * _at(stacked, group[i] * root.shape[-1] + a, b)
        gradient = self.pull_back(theta, slope, weights.mutual_information)
        every = np.arange(rank)
        in_signal[..., every, every] += slope[..., np.newaxis]
        in_factor += _at(slope, i, j) * (a == b)
        hessian = np.empty((*many, theta.shape[-1], theta.shape[-1]))
        along = hessian[..., :seen, :seen].reshape(*many, size, rank, size, rank)
        np.add(in_signal.swapaxes(-3, -2), crossed.reshape(along.shape).swapaxes(-3, -1), out=along)
        hessian[..., :seen, :seen] = along.reshape(crossed.shape)
        # L = exp(y) on its diagonal: a derivative in y is one in L times L, and the second has the slope too.
        entries, diagonal = factor[..., rows, columns], rows == columns
        stretch = np.where(diagonal, entries, 1.0)
        in_factor *= stretch[..., np.newaxis, :]
        in_factor[..., seen:, :] *= stretch[..., np.newaxis]
        own = np.flatnonzero(diagonal)
        in_factor[..., seen + own, own] += gradient[..., seen + own] + weights.mutual_information
        free = slice(seen, len(i))
        hessian[..., : len(i), free], hessian[..., free, :seen] = in_factor, in_factor[..., :seen, :].mT
        if self.noise_variance is None:
            by_signal, by_factor = self.strength @ signal - self.cross, (self.strength @ factor)[..., rows, columns]
            mixed = np.concatenate([by_signal.reshape(*many, seen), by_factor * stretch], axis=-1)
            hessian[..., -1, :-1] = hessian[..., :-1, -1] = -mixed / noise[..., np.newaxis]
            hessian[..., -1, -1] = self._distortion(signal, factor) / (2 * noise)
        return gradient, hessian

    def _distortion(self, signal: np.ndarray, factor: np.ndarray):
        """A sum of squares, without cancellation where little is lost."""
        missed, blurred = self.target - self.triangle @ signal, self.triangle @ factor
        return self.least + (missed**2).sum((-2, -1)) + (blurred**2).sum((-2, -1))


def _at(matrices: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Entries of (..., m, n) matrices, contiguous in memory."""
    return np.take(matrices.reshape(*matrices.shape[:-2], -1), row * matrices.shape[-1] + column, axis=-1)


def _log_det_parts(root: np.ndarray, groups: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """P of blocks (C_gg)^-1, the matrices J_g^T P J_g of the groups, and the number of each latent's group."""
    inverse, group = np.zeros((*root.shape[:-1], root.shape[-2])), np.empty(root.shape[-2], dtype=int)
    for number, members in enumerate(groups):
        group[members] = number
        rows = root[..., members, :]
        inverse[..., members[:, np.newaxis], members] = np.linalg.inv(rows @ rows.mT)
    member = (group == np.arange(len(groups))[:, np.newaxis])[..., np.newaxis]
    inner = (member * root[..., np.newaxis, :, :]).mT @ (inverse @ root)[..., np.newaxis, :, :]
    return inverse, inner, group
