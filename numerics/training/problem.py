"""A training problem in training coordinates: the data, the learned parameters, and the model of a vector of them.

**Training coordinates.** Data in units in which the largest eigenvalue is 1 and along the principal axes, the encoder
acting on whitened data. The units are undone exactly at the end. Descent in rotated coordinates is rotated descent, so
the axes change nothing for "accelerated" and "gradient"; they make a step cost O(D K^2). Whitening is a fixed linear
change of parameters that makes the descent independent of the spread of the eigenvalues.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from numerics.kernels import objective
from numerics.kernels.objective import Objective
from numerics.training.threads import BLAS
from theory import validation
from theory.groups import Weights
from theory.model import LinearVAE
from theory.moments import Moments, as_moments
from theory.objective import prior_covariance
from theory.partition import Posterior, partition, partition_mask
from theory.spectrum import Spectrum

__all__ = ["RESOLVED", "TrainingProblem", "pack", "training_problem"]

FURTHEST = 1e40  # from the scale of the data: squares of gradients, and products of these, stay floats
RESOLVED = 0.1  # nats: largest bound on the rounding of the loss, in practice a hundred times the rounding
FAR = 1e15  # a noise more than this many times the largest variance is the unit
COPIES = 8  # of all parameters, kept in training
PERTURBATION = 1e-3  # in training coordinates, for each parameter


@dataclass(frozen=True, eq=False)
class TrainingProblem:
    """The data and what is learned, in training coordinates.

    Attributes
    ----------
    standard_deviations, axes : (D,) and (D, D) arrays
        square roots of the eigenvalues, descending and in units of `unit`, so that most often the first is 1, and the
        principal axes.
    unit : float
        the unit of variance: the largest eigenvalue, or a fixed noise that is far larger; 1 where nothing varies and
        the noise is learned.
    latent_dim : int
    noise : float
        the noise variance, fixed or at the start, in that unit.
    decoder : (D, K) array or None
        a fixed decoder, in the units of the data.
    mask : (2 D K + K K + 1,) array
        one where a parameter is learned, zero where it is fixed.
    family : tuple of arrays of int
        the groups of latents that the posterior covariance keeps together.
    partitions : (3, K) array of int
        the number of each latent's group: all in one, the groups between and within which total correlation is split,
        and each on its own.
    prior : (K, K) array
    mean : (D,) array or None
    """

    standard_deviations: np.ndarray
    axes: np.ndarray
    unit: float
    latent_dim: int
    noise: float
    decoder: np.ndarray | None
    mask: np.ndarray
    family: tuple[np.ndarray, ...]
    partitions: np.ndarray
    prior: np.ndarray
    mean: np.ndarray | None

    @property
    def covariance(self) -> np.ndarray:
        """Of the data, (D, D), up to rounding."""
        scaled = self.axes * self.standard_deviations
        return self.unit * (scaled @ scaled.T)

    def objective(self, weights: Weights) -> Objective:
        """The loss, in the form of the kernels."""
        return self._objective._replace(weights=np.array(weights.of_parts))

    @cached_property
    def _objective(self) -> Objective:
        """That of weights 1, which shares all but the weights with every other."""
        return Objective(
            standard_deviations=self.standard_deviations,
            weights=np.ones(4),
            partitions=self.partitions,
            prior_precision=np.linalg.inv(self.prior),
            mask=self.mask,
        )

    def grouped(self, groups: Posterior) -> TrainingProblem:
        """The same problem with other groups between and within which total correlation is split."""
        return replace(self, partitions=_partitions(groups, self.latent_dim))

    def loss_offset(self, weights: Weights) -> float:
        """The loss from the unit of variance and the prior's scale: (D/2) log unit - (w_D/2) log det P."""
        return float(len(self.standard_deviations) * np.log(self.unit) + weights.dimension_wise * self._log_det) / 2

    @cached_property
    def _log_det(self) -> float:
        return float(np.linalg.slogdet(self.prior)[1])

    def start(self, rng: np.random.Generator, *, by_column: bool = False) -> np.ndarray:
        """Random parameters of order one, drawn in the axes of the data: codes and reconstructions of order one.

        Decoder and whitened encoder have entries N(0, 1 / D), the Cholesky factor N(0, .09) in its log diagonal and
        below it. Both maps are drawn as (D, K) arrays, filled row by row or, with `by_column`, column by column.
        """
        shape = (len(self.standard_deviations), self.latent_dim)
        draws = rng.standard_normal((2, *(shape[::-1] if by_column else shape))) / np.sqrt(shape[0])
        decoder, encoder = draws.swapaxes(1, 2) if by_column else draws
        triangle = 0.3 * rng.standard_normal((self.latent_dim, self.latent_dim)).ravel()
        if self.decoder is not None:
            decoder = self.decoder / np.sqrt(self.unit)
        size = decoder.size
        free = np.concatenate([(encoder.T @ self.axes).ravel(), triangle]) * self.mask[size:-1]
        return np.concatenate([(decoder.T @ self.axes).ravel(), free, [np.log(self.noise)]])

    def unbounded(self, weights: Weights) -> bool:
        """Whether the loss is known to fall without bound as the learned noise goes to zero.

        With a fixed decoder it does if the decoder can reconstruct the data exactly (its range holds that of the
        covariance) and w_I p < D, with p the number of codes whose variance shrinks with the noise, the sum of the
        ranks of the decoder within the groups that the posterior covariance keeps together. This is known for equal
        weights only: codes may become dependent then, which changes the loss of unequal ones.
        """
        if objective.unbounded(self.objective(weights)):
            return True
        weight = weights.mutual_information
        if self.decoder is None or not self.mask[-1] or len(set(weights.of_parts)) > 1:
            return False
        modes = self.axes * self.standard_deviations * np.sqrt(self.unit)
        exact = np.linalg.matrix_rank(np.hstack([self.decoder, modes])) == np.linalg.matrix_rank(self.decoder)
        visible = sum(np.linalg.matrix_rank(self.decoder[:, group]) for group in self.family)
        return bool(exact and weight * visible < len(self.standard_deviations))

    @cached_property
    def perturbation(self) -> np.ndarray:
        """A small step in a random direction, the same for all runs, to distinguish minima from saddles."""
        return PERTURBATION * np.random.default_rng(0).standard_normal(len(self.mask)) * self.mask

    def unpack(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Decoder, whitened encoder and Cholesky factor of the posterior covariance of a vector of parameters."""
        _, maps, triangle = objective.views(theta, self.latent_dim, len(self.standard_deviations))
        decoder, encoder = maps[: self.latent_dim], maps[self.latent_dim :]
        factor = triangle * self._below
        factor.flat[:: self.latent_dim + 1] = np.exp(triangle.diagonal())
        return decoder.T, encoder.T, factor

    @cached_property
    def _below(self) -> np.ndarray:
        """One below the diagonal of a (K, K) array, else zero."""
        return np.tri(self.latent_dim, k=-1)

    def value_and_gradient(self, theta: np.ndarray, loss: Objective) -> tuple[float, np.ndarray]:
        """The loss, in training units, and its gradient, zero where a parameter is fixed."""
        gradient, work = np.empty_like(theta), np.empty((5, self.latent_dim, self.latent_dim))
        at, to = (
            objective.views(vector, self.latent_dim, len(self.standard_deviations)) for vector in (theta, gradient)
        )
        return float(objective.value_and_gradient(at, loss, to, work)), gradient

    def measure(self, theta: np.ndarray, loss: Objective) -> tuple[float, float]:
        """The loss, in training units, and the Euclidean norm of its gradient over the learned parameters."""
        loss, gradient = self.value_and_gradient(theta, loss)
        return loss, float(np.linalg.norm(gradient))

    def decoders(self, thetas: np.ndarray) -> np.ndarray:
        """The decoders of many vectors of parameters, (..., n) -> (..., D, K), in the units and axes of the data."""
        size, shape = len(self.standard_deviations), thetas.shape[:-1]
        if self.decoder is not None:
            return np.broadcast_to(self.decoder, (*shape, *self.decoder.shape))
        maps = thetas[..., : size * self.latent_dim].reshape(*shape, self.latent_dim, size)
        return self.axes @ maps.mT * np.sqrt(self.unit)

    @BLAS.wrap(limits=1, user_api="blas")
    def vae(self, theta: np.ndarray) -> LinearVAE:
        """The model of a vector of parameters, in the units and axes of the data."""
        decoder, encoder, factor = self.unpack(theta)
        present = self.standard_deviations > 0
        unwhitened = encoder[present].T / self.standard_deviations[present]
        return LinearVAE(
            decoder=self.axes @ decoder * np.sqrt(self.unit) if self.decoder is None else self.decoder,
            encoder=unwhitened @ self.axes[:, present].T / np.sqrt(self.unit),
            posterior_covariance=factor @ factor.T,
            noise_variance=np.exp(theta[-1]) * self.unit,
            mean=self.mean,
        )


def pack(decoder: np.ndarray, encoder: np.ndarray, factor: np.ndarray, log_noise: float) -> np.ndarray:
    """Parameters, from what `TrainingProblem.unpack` returns and the logarithm of the noise."""
    triangle = np.tril(factor, -1) + np.diag(np.log(np.diagonal(factor)))
    return np.concatenate([decoder.T.ravel(), encoder.T.ravel(), triangle.ravel(), [log_noise]])


@BLAS.wrap(limits=1, user_api="blas")
def training_problem(
    covariance, latent_dim, noise_variance, decoder, posterior, groups="diagonal", prior=None
) -> TrainingProblem:
    """Check the arguments of training, and transform them to training coordinates.

    With one thread of the linear algebra, as `TrainingProblem.vae`, so that a run has the same bits on any number of
    threads.
    """
    moments = as_moments(covariance, or_eigenvalues=True)
    symmetric = validation.covariance_matrix("covariance", moments.covariance)
    if not len(symmetric):
        raise ValueError("covariance must have at least one dimension, got 0 x 0; pass the covariance of some data")
    latent_dim = checked_latent_dim(latent_dim, len(symmetric))
    size = len(symmetric) * latent_dim
    partitions = _partitions(groups, latent_dim)
    spectrum = Spectrum.of(symmetric, latent_dim)
    eigenvalues, axes = spectrum.eigenvalues, spectrum.directions
    axes = np.ascontiguousarray(axes)  # as a file of runs stores them, for the same products
    noise = validation.positive_or_keyword("noise_variance", noise_variance, "learned")
    learned = noise == "learned"
    unit = float(eigenvalues.max(initial=0.0)) or (1.0 if learned else noise)
    if not learned:
        # Below this, terms that cancel in the loss, of the size of total variance over noise, leave only rounding.
        least = objective.ROUNDING * (eigenvalues.sum() / unit + 1) / RESOLVED
        in_range("noise_variance", noise, "times the largest variance of the data", unit, least)
        unit = unit if noise < FAR * unit else noise
    if decoder is not None:
        decoder = validation.matrix("decoder", decoder, (len(symmetric), latent_dim))
        in_range("decoder", decoder, "times the largest standard deviation of the data", np.sqrt(unit), least=0.0)
    prior = prior_covariance(prior, latent_dim)
    in_range("prior", np.diagonal(prior), "on its diagonal")
    family = partition(posterior, latent_dim)
    together = np.tril(partition_mask(family, latent_dim))
    varies = np.tile(eigenvalues > 0, latent_dim)  # directions without data have no encoder
    mask = np.concatenate([np.full(size, decoder is None), varies, together.ravel(), [learned]]).astype(float)
    return TrainingProblem(
        standard_deviations=np.sqrt(eigenvalues / unit),
        axes=axes,
        unit=unit,
        latent_dim=latent_dim,
        noise=(float((eigenvalues / unit).mean()) or 1.0) if learned else noise / unit,
        decoder=decoder,
        mask=mask,
        family=family,
        partitions=partitions,
        prior=prior,
        mean=moments.mean if isinstance(covariance, Moments) else None,
    )


def _partitions(groups: Posterior, latent_dim: int) -> np.ndarray:
    """The number of each latent's group: all in one, the groups, and each on its own, (3, K)."""
    labels = np.zeros(latent_dim, dtype=np.int64)
    for number, group in enumerate(partition(groups, latent_dim, "groups")):
        labels[group] = number
    return np.stack([np.zeros_like(labels), labels, np.arange(latent_dim)])


def checked_latent_dim(latent_dim: int, data_dim: int) -> int:
    """K, if it is a whole number and the arrays of training fit into memory."""
    latent_dim = validation.count("latent_dim", latent_dim)
    return validation.count("latent_dim", latent_dim, bytes_each=COPIES * 8 * (2 * data_dim + latent_dim))


def in_range(name: str, values, of: str, unit: float = 1.0, least: float = 1 / FURTHEST) -> None:
    """Refuse values so far from the scale of the data that products and squares leave the range of floats.

    Zeros pass: they do not depend on the unit.
    """
    with np.errstate(over="ignore"):
        size = float(np.abs(values).max(initial=0.0) / unit)
    if np.any(values) and not least <= size <= FURTHEST:
        bounds = f"between {least:.0e} and {FURTHEST:.0e}" if least else f"at most {FURTHEST:.0e}"
        raise ValueError(f"{name} must be {bounds} {of}, got {size:.3g}; take ordinary sizes, or change the units")
