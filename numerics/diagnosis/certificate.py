"""Whether a given model is a stationary point or a minimum, with the least curvature as a number.

The exact gradient and the Hessian by exact Hessian-vector products, in the coordinates of
`numerics.diagnosis.landscape`, where curvatures of different parameters can be compared. The Hessian is block-diagonal:
if the latents and modes that a solution links fall into groups (latent i with mode i, for one on the PCA axes), two
parameters are coupled only if they link the same two groups. One product then gives a column of every block at once, so
that as many products as the largest block has columns give the exact spectrum at any size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.diagnosis.landscape import _Landscape
from theory import validation
from theory.model import LinearVAE, linear_vae, mean_offset
from theory.moments import as_moments
from theory.partition import Posterior

__all__ = ["Certificate", "certify"]


LARGEST = 1e100  # of numbers that are squared and multiplied
UNRESOLVED = 1e10  # scale at which the tolerance of a zero gradient, 1e-11 of it, is .1 sqrt(nats)
DENSE = 1000  # blocks of the Hessian up to this size are formed, of larger ones the least eigenvalue is iterated
CEILING = 2.0  # subtracted from large blocks, so that an eigenvalue near zero is found to a relative accuracy
LANCZOS_TOLERANCE = 1e-3  # residual of such an eigenvalue, relative to CEILING


@dataclass(frozen=True)
class Certificate:
    """First and second order at a stated solution, in the units of the module.

    Attributes
    ----------
    gradient_norm : float, sqrt(nats)
    curvature : float
        least eigenvalue of the Hessian, without unit. Exact, except for solutions that link more than a thousand
        parameters to each other (many latents, none on the PCA axes), where it is an upper bound that is within 2e-3
        of an eigenvalue. Infinite if nothing is learned.
    scale : float, sqrt(nats)
        sqrt(1 + tr S / s2), the size of the terms that cancel in the gradient: rounding is a small multiple of machine
        epsilon times this.
    parameters : int
        their number.
    """

    gradient_norm: float
    curvature: float
    scale: float
    parameters: int

    def stationary(self, tolerance: float = 1e-11) -> bool:
        """Whether the gradient is zero to this fraction of `scale`."""
        return self.gradient_norm <= validation.non_negative("tolerance", tolerance) * self.scale

    def minimum(self, tolerance: float = 1e-6) -> bool:
        """Whether the solution is stationary and no direction curves down by more than `tolerance`.

        A necessary condition of second order. Along a flat direction (curvature within the tolerance of zero) it
        decides nothing.
        """
        return self.stationary() and self.curvature >= -validation.non_negative("tolerance", tolerance)


def certify(
    vae: LinearVAE,
    covariance,
    beta: float,
    *,
    learned_decoder: bool = True,
    learned_noise: bool = False,
    posterior: Posterior = "diagonal",
) -> Certificate:
    """The exact gradient and least curvature of the objective at a VAE, over the learned parameters.

    Parameters
    ----------
    vae : LinearVAE
        the stated solution, optimal or not.
    covariance : (D, D) array, or Moments
        of the data; with `Moments` a difference between the mean of the data and `vae.mean` counts too.
    beta : float > 0
    learned_decoder, learned_noise : bool
        whether the decoder and the noise variance are among the parameters. Encoder and posterior covariance always
        are.
    posterior : "diagonal", "full", or a list of groups of latents
        the family that the posterior covariance is varied in.

    Returns
    -------
    Certificate

    Raises
    ------
    ValueError
        if the covariance is not a covariance matrix or does not fit the VAE, beta is not positive, the posterior
        covariance of the VAE does not belong to the family, or sizes differ so much that their products overflow, or
        that rounding hides a gradient (total variance above 1e20 times the noise).

    Notes
    -----
    Exact, for any data. Necessary conditions only: that a minimum is global is a theorem, not checked here.
    """
    vae = linear_vae("vae", vae)
    beta = validation.positive("beta", beta)
    learned_decoder = validation.flag("learned_decoder", learned_decoder)
    learned_noise = validation.flag("learned_noise", learned_noise)
    moments = as_moments(covariance)
    data_covariance = validation.covariance_matrix("covariance", moments.covariance, vae.data_dim)
    if not vae.belongs_to(posterior):
        raise ValueError(
            f"vae.posterior_covariance has entries outside the family {posterior!r}; pass the family it belongs to"
        )
    offset = mean_offset(vae, covariance)
    data_covariance = data_covariance + np.outer(offset, offset)
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        sizes = beta * vae.noise_variance, np.trace(data_covariance) / (beta * vae.noise_variance)
        sizes += np.sum(vae.decoder**2) / (beta * vae.noise_variance), np.sum(vae.encoder**2)
    if not (sizes[0] > 0 and max(sizes) < LARGEST):
        raise ValueError(
            f"covariance, beta and vae must have sizes whose products do not overflow, got beta x noise_variance "
            f"{sizes[0]:.3g}, trace of the covariance {sizes[1]:.3g} times that; give the data another unit"
        )
    scale = float(np.sqrt(1 + np.trace(data_covariance) / vae.noise_variance))
    if scale > UNRESOLVED:
        raise ValueError(
            f"vae.noise_variance is {vae.noise_variance:.3g}, too small against the total variance of the data, "
            f"{np.trace(data_covariance):.3g}: rounding would hide a gradient; take a larger one, or fewer latents"
        )
    loss = _Landscape.around(vae, data_covariance, beta, learned_decoder, learned_noise, posterior)
    return Certificate(
        gradient_norm=float(np.linalg.norm(loss.gradient(loss.origin))),
        curvature=_least_curvature(loss),
        scale=scale,
        parameters=loss.origin.size,
    )


def _least_curvature(loss: _Landscape) -> float:
    blocks = loss.blocks()
    sizes = np.bincount(blocks)
    members = np.split(np.argsort(blocks, kind="stable"), np.cumsum(sizes)[:-1])
    least = np.inf
    for size in np.unique(sizes):
        alike = np.array([members[block] for block in np.flatnonzero(sizes == size)])
        least = min(least, _least_of_blocks(loss, alike) if size <= DENSE else _least_by_iteration(loss, alike))
    return float(least)


def _least_of_blocks(loss: _Landscape, members: np.ndarray) -> float:
    """The least eigenvalue of blocks of one size, (blocks, size) parameters, one column of all of them at a time."""
    hessians = np.empty((*members.shape, members.shape[1]))
    for column in range(members.shape[1]):
        direction = np.zeros_like(loss.origin)
        direction[members[:, column]] = 1
        hessians[:, :, column] = loss.curve(direction)[members]
    return np.linalg.eigvalsh((hessians + hessians.transpose(0, 2, 1)) / 2).min()


def _least_by_iteration(loss: _Landscape, members: np.ndarray) -> float:
    """The least eigenvalue of blocks of one size that are too large to form, by Lanczos iteration."""
    from scipy.sparse.linalg import LinearOperator, eigsh  # a third of a second, which most models do not need

    inside = members.ravel()

    def product(vector):
        direction = np.zeros_like(loss.origin)
        direction[inside] = vector
        return loss.curve(direction)[inside] - CEILING * vector

    lowered = LinearOperator((len(inside), len(inside)), matvec=product, dtype=float)
    start = np.random.default_rng(0).standard_normal(len(inside))
    options = {"which": "SA", "v0": start, "ncv": 60, "tol": LANCZOS_TOLERANCE, "return_eigenvectors": False}
    return eigsh(lowered, k=1, **options)[0] + CEILING
