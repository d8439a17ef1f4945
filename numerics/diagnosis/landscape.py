"""The loss around a model that is given: its exact gradient and Hessian-vector products, no training.

**Units.** The loss is written once more here, from its definition, in units that make gradients and curvatures
comparable. In the eigenbasis of the data covariance S (eigenvalues l), with decoder W, encoder V, posterior covariance
Q, noise variance s2 and t = beta s2 at the stated solution:

    decoder              B = W / sqrt(t)                       times a root of the code covariance C = V S V^T + Q
    encoder              E = V S^(1/2)                         times a root of P = I + B^T B
    posterior covariance Q = R T T^T R^T, T lower triangular   log of T's diagonal; Q = R R^T at the stated solution
    noise                log s2                                times sqrt(D / (2 beta))

and all of them times sqrt(beta). The loss then has curvature 1 in the decoder alone and in the encoder alone, so that

    gradient norm g      the loss falls by about g^2 / 2 nats in one step; in units of sqrt(nats)
    curvature            least eigenvalue of the Hessian, at most 1 (for K > 0): positive at a strict minimum, zero
                         along a flat direction (a rotation inside a group of latents, a tie, a threshold), negative at
                         a saddle.

**Products.** E holds only directions in which the data vary: the loss does not depend on the encoder elsewhere. The
gradient is a polynomial apart from exponentials of T's diagonal and of the log noise, so an imaginary step gives exact
Hessian-vector products; each costs O(D K^2).

**Blocks.** The Hessian is block-diagonal: if the latents and modes that a solution links fall into groups (latent i
with mode i, for one on the PCA axes), two parameters are coupled only if they link the same two groups. One product
then gives a column of every block at once, so that as many products as the largest block has columns give the exact
spectrum at any size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.sampling.gaussian import triangle
from theory.partition import partition, partition_mask
from theory.spectrum import Spectrum

__all__ = ["_Landscape"]


STEP = 1e-30  # of the imaginary part; its square is far below rounding
LINKED = 1e-8  # entries below this fraction of the largest link nothing; they change an eigenvalue by 1e-7 at most


@dataclass(frozen=True, eq=False)
class _Landscape:
    """The gradient of the loss as a function of the learned parameters in one vector, see the module.

    `ratios` (r,) are sqrt(l / t) of the modes in which the data vary, `decoder` (D, K) is B and `root` (K, K) is R at
    the stated solution, `decoder_unit` and `encoder_unit` (K, K) transform the parameters into B and E, and `free` (K,
    K) marks the learned entries of T.
    """

    beta: float
    ratios: np.ndarray
    decoder: np.ndarray
    root: np.ndarray
    decoder_unit: np.ndarray
    encoder_unit: np.ndarray
    free: np.ndarray
    origin: np.ndarray
    learned_decoder: bool
    learned_noise: bool

    @classmethod
    def around(cls, vae, covariance, beta, learned_decoder, learned_noise, posterior) -> _Landscape:
        spectrum = Spectrum.of(covariance, vae.latent_dim)
        eigenvalues, basis, rank = spectrum.eigenvalues, spectrum.directions, spectrum.rank
        water_level = beta * vae.noise_variance
        decoder = basis.T @ vae.decoder / np.sqrt(water_level)
        encoder = vae.encoder @ basis[:, :rank] * np.sqrt(eigenvalues[:rank])

        identity = np.eye(vae.latent_dim)
        posterior_root = np.linalg.cholesky(vae.posterior_covariance)
        decoder_root = triangle(encoder, posterior_root) * np.sqrt(beta)
        encoder_root = triangle(identity, decoder.T) * np.sqrt(beta)
        free = np.tril(partition_mask(partition(posterior, vae.latent_dim), vae.latent_dim))
        parts = [(encoder_root.T @ encoder).ravel(), np.zeros(np.count_nonzero(free))]
        if learned_decoder:
            parts.append((decoder @ decoder_root).ravel())
        if learned_noise:
            parts.append(np.zeros(1))
        return cls(
            beta=beta,
            ratios=np.sqrt(eigenvalues[:rank] / water_level),
            decoder=decoder,
            root=posterior_root,
            decoder_unit=np.linalg.inv(decoder_root),
            encoder_unit=np.linalg.inv(encoder_root).T,
            free=free,
            origin=np.concatenate(parts),
            learned_decoder=learned_decoder,
            learned_noise=learned_noise,
        )

    def gradient(self, parameters: np.ndarray) -> np.ndarray:
        """The gradient, analytic in the parameters: no conjugate, no absolute value."""
        (data_dim, latent_dim), rank, beta = self.decoder.shape, len(self.ratios), self.beta
        counts = [latent_dim * rank, np.count_nonzero(self.free), self.decoder.size * self.learned_decoder]
        encoder, entries, decoder, noise = np.split(parameters, np.cumsum(counts))
        encoder = self.encoder_unit @ encoder.reshape(latent_dim, rank)
        decoder = decoder.reshape(data_dim, latent_dim) @ self.decoder_unit if self.learned_decoder else self.decoder
        factor = np.eye(latent_dim, dtype=parameters.dtype)
        factor[self.free] += entries / np.sqrt(beta)
        diagonal = np.exp(np.diagonal(factor) - 1)
        np.fill_diagonal(factor, diagonal)
        noise_unit = np.sqrt(data_dim / 2)
        precision = np.exp(-noise / noise_unit) if self.learned_noise else 1.0  # relative to the stated solution

        root = self.root @ factor
        code = encoder @ encoder.T + root @ root.T
        gram = decoder.T @ decoder
        reached = encoder * self.ratios  # cross-covariance of codes and data, over sqrt(t)

        to_encoder = precision * (gram @ encoder - decoder[:rank].T * self.ratios) + encoder
        to_factor = self.root.T @ (precision * gram @ root + root)
        to_factor[np.diag_indices(latent_dim)] = np.diagonal(to_factor) * diagonal - 1
        parts = [beta * (self.encoder_unit.T @ to_encoder).ravel(), np.sqrt(beta) * to_factor[self.free]]
        if self.learned_decoder:
            to_decoder = decoder @ code
            to_decoder[:rank] -= reached.T
            parts.append(beta * precision * (to_decoder @ self.decoder_unit.T).ravel())
        if self.learned_noise:
            distortion = self._distortion(decoder, encoder) + np.sum((gram @ root) * root)
            parts.append((data_dim - beta * precision * distortion) / (2 * noise_unit))
        return np.concatenate(parts)

    def _distortion(self, decoder: np.ndarray, encoder: np.ndarray) -> np.ndarray:
        """The squared error of the mean reconstruction, over t.

        A sum of squares for the K leading modes: their residual is far below their variance, and a difference would
        lose it. Nothing large is reconstructed of the other modes.
        """
        lead, rank = min(decoder.shape[1], len(self.ratios)), len(self.ratios)
        left = np.diag(self.ratios[:lead]) - decoder[:lead] @ encoder[:, :lead]
        gram_lead, gram_rest = (part.T @ part for part in (decoder[:lead], decoder[lead:]))
        code_lead, code_rest = (part @ part.T for part in (encoder[:, :lead], encoder[:, lead:]))
        others = self.ratios[lead:] * (
            self.ratios[lead:] - 2 * np.sum(decoder[lead:rank].T * encoder[:, lead:], axis=0)
        )
        crossed = np.sum(gram_lead * code_rest) + np.sum(gram_rest * (code_lead + code_rest))
        return np.sum(left * left) + np.sum(others) + crossed

    def curve(self, direction: np.ndarray) -> np.ndarray:
        """The Hessian at the stated solution times a direction."""
        return self.gradient(self.origin + 1j * STEP * direction).imag / STEP

    def blocks(self) -> np.ndarray:
        """For each parameter the number of the block of the Hessian that it belongs to, see the module."""
        data_dim, latent_dim = self.decoder.shape
        rank = len(self.ratios)
        encoder = self.encoder_unit @ self.origin[: latent_dim * rank].reshape(latent_dim, rank)
        links = np.abs(self.decoder) > LINKED * np.abs(self.decoder).max(initial=0)
        links[:rank] |= np.abs(encoder.T) > LINKED * np.abs(encoder).max(initial=0)
        latent_links = np.abs(self.root) > 0
        graph = np.block([[latent_links, links.T], [links, np.zeros((data_dim, data_dim), dtype=bool)]])
        group = _components(graph)
        latents, modes = group[:latent_dim, None], group[latent_dim:, None]

        def pairs(rows, columns):
            return np.minimum(rows, columns) * len(group) + np.maximum(rows, columns)

        parts = [pairs(latents, modes[:rank].T).ravel(), pairs(latents, latents.T)[self.free]]
        if self.learned_decoder:
            parts.append(pairs(modes, latents.T).ravel())
        labels = np.concatenate(parts)
        if self.learned_noise:  # it acts on every link within a group
            labels = np.append(np.where(labels // len(group) == labels % len(group), -1, labels), -1)
        return np.unique(labels, return_inverse=True)[1]


def _components(graph: np.ndarray) -> np.ndarray:
    """The least number among those that are connected to each of n points by the pairs of a symmetric (n, n) array.

    `scipy.sparse.csgraph` does the same; to load it takes a third of a second, more than most models are worth.
    """
    joined, found = graph | np.eye(len(graph), dtype=bool), np.arange(len(graph))
    while True:
        least = np.where(joined, found, len(graph)).min(axis=1, initial=len(graph))
        if np.array_equal(least, found):
            return found
        found = least
