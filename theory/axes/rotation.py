"""Rotating the latents, z -> R z: free for a full posterior, at a cost for a diagonal or block-diagonal one.

**Cost.** The prior N(0, I) is rotation-invariant, so a rotation changes nothing if the family of q is closed under it.
For a decoder W the best q has the precision P = I + W^T W / t (t = beta s2), and the loss depends on its covariance Q
only through (beta/2) [ tr(P Q) - log det Q ]. After the rotation the precision is M = R P R^T. Compared with the full
posterior, of covariance Q = M^-1, a family of blocks b costs

    (beta/2) [ sum_b log det M_bb - log det M ]                              if q is optimised again
    (beta/2) [ sum_b tr(M_bb Q_bb) - K - sum_b log det Q_bb + log det Q ]    if the off-diagonal blocks of Q are dropped

For two modes of precisions p1, p2 at an angle a, with x = (p1 - p2)^2 sin^2(2a) / (4 p1 p2), these are
(beta/2) log(1 + x) and (beta/2) [2x - log(1 + x)], zero only at multiples of a quarter turn: this locks a VAE to the
PCA axes.

**Small rotations.** Close to the PCA axes, where M is diagonal with entries p_i, a rotation by a small angle X_ij in
each plane of two modes costs

    (beta/2) sum_(i<j) X_ij^2 (p_i - p_j)^2 / (p_i p_j)

over the pairs that the family separates: planes do not interact, and tied modes rotate freely. So the optimal decoder U
diag(w) R^T, U the principal axes of the data, with a learned diagonal Q is optimal only for signed permutations R if
the p_i are distinct.

**Against the literature.** Theorem 2 of Wang & Ziyin (2022) allows every orthogonal R; the first formula is its cost,
with Q learned again. It also holds for their targets y other than x: then zeta_i^2 replaces the eigenvalue l_i in
p_i = l_i / t.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import qr

from theory import validation
from theory.axes.orthogonal import checked_rotation
from theory.gaussian import is_positive_definite, loss_between
from theory.inference.encoder import SMALL_GAP, family_gap
from theory.model import LinearVAE, linear_vae
from theory.partition import Posterior, partition, partition_mask
from theory.singular_values import principal_axes

__all__ = [
    "rotate",
    "rotation_curvature",
    "rotation_energy",
    "two_mode_rotation_energy",
]

ENCODERS = ("reoptimised", "truncated")


def rotate(vae: LinearVAE, rotation) -> LinearVAE:
    """The same VAE with latents R z: decoder W R^T, encoder R V, posterior covariance R Q R^T.

    Its loss, distortion, rate and mutual information are the same; only the split of the remaining rate into total
    correlation and dimension-wise KL may change (not at the optimum, where both are zero). Exact, for any orthogonal R
    and prior N(0, I). With a diagonal Q the result is diagonal for signed permutations, and for rotations among latents
    of equal posterior variance; `rotation_energy` is the cost to the diagonal family of any other rotation.

    Parameters
    ----------
    vae : LinearVAE
    rotation : (K, K) array, orthogonal; reflections are allowed

    Returns
    -------
    LinearVAE

    Raises
    ------
    ValueError
        if `rotation` is not an orthogonal K x K matrix.

    Notes
    -----
    In the setting of Mathieu et al. (2019), Theorem 2.

    Examples
    --------
    >>> from theory import elbo_terms, optimum
    >>> from theory.axes import plane_rotation, rotate
    >>> covariance = [[3.0, 0.0], [0.0, 1.0]]
    >>> best = optimum(covariance, 2, noise_variance=0.5)
    >>> abs(elbo_terms(rotate(best.vae, plane_rotation(2, 0.3)), covariance).loss(1.0) - best.loss) < 1e-12
    True
    """
    vae = linear_vae("vae", vae)
    rotation = checked_rotation(rotation, vae.latent_dim)
    posterior_covariance = rotation @ vae.posterior_covariance @ rotation.T
    if not is_positive_definite((posterior_covariance + posterior_covariance.T) / 2):
        raise ValueError(
            "rotation must not mix latents of vae whose posterior variances differ so much that the smaller ones are "
            "lost in the rounding of the rotated posterior covariance; permute them, or scale the latents"
        )
    return LinearVAE(
        vae.decoder @ rotation.T,
        rotation @ vae.encoder,
        posterior_covariance,
        vae.noise_variance,
        vae.mean,
    )


def rotation_energy(
    decoder,
    noise_variance: float,
    beta: float,
    rotation,
    *,
    posterior: Posterior = "diagonal",
    encoder: str = "reoptimised",
    prior_variance: float = 1.0,
) -> float:
    """How much more the rotated decoder W R^T costs in a family of posteriors than with a full posterior covariance.

    With M = R (I / v + W^T W / t) R^T, t = beta s2, prior N(0, v I) and Q = M^-1: (beta/2) [sum_b log det M_bb - log
    det M] if the encoder is optimised again, (beta/2) [sum_b tr(M_bb Q_bb) - K - sum_b log det Q_bb + log det Q] if the
    encoder is the full optimum without the off-diagonal blocks of its covariance. Zero for `posterior="full"`, whatever
    the rotation.

    Parameters
    ----------
    decoder : (D, K) array, before the rotation
    noise_variance : float > 0
    beta : float > 0
    rotation : (K, K) array, orthogonal
    posterior : "diagonal", "full", or a list of groups of latents
    encoder : "reoptimised" or "truncated"
        truncated: the optimal posterior with PCA axes is rotated, and its new off-diagonal blocks are dropped; this
        costs at least as much.
    prior_variance : float > 0, v

    Returns
    -------
    float >= 0, in nats

    Raises
    ------
    ValueError
        if an argument is out of its range or `rotation` is not an orthogonal K x K matrix.

    Notes
    -----
    Exact, for any data: the excess does not depend on their covariance, because the best posterior mean is the same in
    every family. Mathieu et al. (2019), Theorem 2, is the case "full"; for a diagonal posterior in the setting of
    Rolinek et al. (2019).

    Examples
    --------
    >>> from theory.axes import plane_rotation, rotation_energy
    >>> energy = rotation_energy([[2.0, 0.0], [0.0, 1.0]], 0.5, 1.0, plane_rotation(2, 0.3))
    >>> round(energy, 4)
    0.0505
    """
    decoder = validation.matrix("decoder", decoder)
    beta = validation.positive("beta", beta)
    noise = validation.positive("noise_variance", noise_variance)
    prior = validation.positive("prior_variance", prior_variance)
    rotation = checked_rotation(rotation, decoder.shape[1])
    groups = partition(posterior, decoder.shape[1])
    # Latents of variance v behave like those of variance 1 at noise s2 / v: gaps ignore factors of the precision.
    level = beta * (noise / prior)
    if not 0 < level < np.inf:
        raise ValueError(
            f"beta * noise_variance / prior_variance must be a positive float, got {level}; scale the data"
        )
    with np.errstate(over="ignore"):
        square = np.square(np.abs(decoder).max(initial=0.0)) * decoder.size
        validation.finite_result(
            "decoder^2, or decoder^2 prior_variance / (beta noise_variance),", np.array([square, square / level])
        )
    if validation.choice("encoder", encoder, ENCODERS) == "reoptimised":
        gap = family_gap(decoder @ rotation.T, noise / prior, beta, posterior=posterior)
        return float(validation.finite_result("beta", gap))
    _, singular, axes = principal_axes(decoder)
    gap = _truncated_gap(singular**2 / level, rotation @ axes, groups)
    return float(validation.finite_result("beta", beta / 2 * gap))


def _truncated_gap(information: np.ndarray, directions: np.ndarray, groups) -> float:
    """sum_b tr(M_bb Q_bb) - K - sum_b log det Q_bb + log det Q for M = O diag(p) O^T, O orthogonal, and Q = M^-1.

    `directions` is O, with rows O_b for the k_b latents of a block, and `information` is p - 1, whose differences are
    those of p with digits that p may lack. With Y = O_b^T O_b, tr(M_bb Q_bb) - k_b = sum_(i<j) Y_ij^2 (p_i - p_j)^2 /
    (p_i p_j): a sum of squares, while M_bb Q_bb from an inverse loses as many digits as p spans.

    With orthonormal bases B_b of the columns of diag(1/p)^(1/2) O_b^T, the determinants are -2 log |det [B_1 B_2 ...]|.
    If they are small, they are computed from the products B_a^T B_b between groups. As B_a^T diag(p) B_b = 0, these are
    B_a^T (1 - diag(p) / max p) B_b, as small as the differences of p. The determinants are at most half of the traces,
    so that the difference of the two keeps the digits.
    """
    if len(groups) < 2:
        return 0.0
    precisions = 1 + information
    ascending = np.argsort(precisions)
    traces, bases = 0.0, np.zeros((len(precisions), len(precisions)))
    between = _relative_gaps("decoder", precisions, information) ** 2
    for group in groups:
        rows = directions[group]
        traces += np.sum((rows.T @ rows) ** 2 * between) / 2
        # With rows in descending order and pivoted columns, rows of very different sizes keep their digits.
        graded = (rows / np.sqrt(precisions)).T[ascending]
        bases[:, group] = qr(graded, mode="economic", pivoting=True)[0]
    determinants = -2 * np.linalg.slogdet(bases).logabsdet
    if determinants < SMALL_GAP:
        below = (information.max(initial=0.0) - information[ascending]) / precisions.max(initial=1.0)
        determinants = loss_between((bases.T * below) @ bases, groups)
    # If they round to a singular matrix, the logarithm is negligible against the traces.
    return max(0.0, traces - determinants) if np.isfinite(determinants) else traces


def _relative_gaps(name: str, precisions: np.ndarray, shifted: np.ndarray | None = None) -> np.ndarray:
    """(p_i - p_j) / sqrt(p_i p_j) for each pair, without products that overflow.

    `shifted` is p minus a constant, with more digits.
    """
    root, shifted = np.sqrt(precisions), precisions if shifted is None else shifted
    with np.errstate(over="ignore"):
        gaps = (shifted[:, np.newaxis] - shifted) / root / root[:, np.newaxis]
        validation.finite_result(name, gaps**2)
    return gaps


def two_mode_rotation_energy(
    precision_1: float, precision_2: float, angle, beta: float, *, encoder: str = "reoptimised"
) -> float | np.ndarray:
    """The rotation energy of two modes with a diagonal posterior, in closed form.

    (beta/2) log(1 + x) if the encoder is optimised again, (beta/2) [2x - log(1 + x)] if the off-diagonals of the
    rotated posterior covariance are dropped; x = (p1 - p2)^2 sin^2(2 angle) / (4 p1 p2). Zero at multiples of pi/2;
    at a tie, p1 = p2, zero at every angle. Exact.

    Parameters
    ----------
    precision_1, precision_2 : float > 0
        eigenvalues of I + W^T W / t; at the optimum of a learned decoder l_i / t, or 1 for a collapsed latent.
    angle : float or array, in radians from the PCA axes
    beta : float > 0
    encoder : "reoptimised" or "truncated"

    Returns
    -------
    float or array, of the shape of `angle`, in nats

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Examples
    --------
    >>> from theory.axes import two_mode_rotation_energy
    >>> two_mode_rotation_energy(9.0, 3.0, [0.0, 0.3, 0.8], beta=1.0).round(4)
    array([0.    , 0.0505, 0.1437])
    """
    precisions = np.array(
        [validation.positive("precision_1", precision_1), validation.positive("precision_2", precision_2)]
    )
    angles = validation.real_array("angle", angle)
    validation.vector("angle", angles.ravel())
    beta = validation.positive("beta", beta)
    # sin(2a) / 2 = sin(a) cos(a), for angles of any size
    mixed = (_relative_gaps("precision_1 / precision_2", precisions)[0, 1] * np.sin(angles) * np.cos(angles)) ** 2
    energy = np.log1p(mixed)
    if validation.choice("encoder", encoder, ENCODERS) == "truncated":
        energy = 2 * mixed - energy
    with np.errstate(over="ignore"):
        return validation.finite_result("beta", beta / 2 * energy)[()]


def rotation_curvature(precisions, beta: float, *, posterior: Posterior = "diagonal") -> np.ndarray:
    """Second derivative of the rotation energy at the PCA axes, for a rotation in the plane of each pair of modes.

    H_ij = beta (p_i - p_j)^2 / (p_i p_j) for two modes in different groups of the family, zero for two in one group and
    for two that tie. For R = exp(X), X antisymmetric, the energy is (1/2) sum_(i<j) H_ij X_ij^2 up to third order: all
    mixed derivatives are zero. The same whether the encoder is optimised again or truncated.

    Parameters
    ----------
    precisions : (K,) array > 0
        eigenvalues of I + W^T W / t; at the optimum of a learned decoder l_i / t, or 1 for a collapsed latent.
    beta : float > 0
    posterior : "diagonal", "full", or a list of groups of latents

    Returns
    -------
    (K, K) array, symmetric with zero diagonal, in nats per square radian

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    Exact second order; in the setting of Rolinek et al. (2019).

    Examples
    --------
    >>> from theory.axes import rotation_curvature
    >>> rotation_curvature([4.0, 2.0, 2.0], beta=1.0)
    array([[0. , 0.5, 0.5],
           [0.5, 0. , 0. ],
           [0.5, 0. , 0. ]])
    """
    precisions = validation.vector("precisions", validation.positive_array("precisions", precisions))
    beta = validation.positive("beta", beta)
    together = partition_mask(partition(posterior, len(precisions)), len(precisions))
    with np.errstate(over="ignore"):
        curvature = validation.finite_result("beta", beta * _relative_gaps("precisions", precisions) ** 2)
    return np.where(together, 0.0, curvature)
