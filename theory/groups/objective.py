"""The grouped objective: a weight on each part of the rate, its loss and its exact gradient.

**Loss.** A VAE of decoder W, encoder V, posterior covariance Q and noise s2 on data of covariance S has

    loss = distortion / (2 s2) + (D/2) log(2 pi s2) + w_I I + w_B between + w_W within + w_D dimension-wise KL

with between and within the total correlation of q(z) between and inside the groups g. Collected by determinants, with
C = V S V^T + Q and prior N(0, Pi),

    loss = distortion / (2 s2) + (D/2) log(2 pi s2) - (w_I/2) log det Q
           + 1/2 [ (w_I - w_B) log det C + (w_B - w_W) sum_g log det C_gg + (w_W - w_D) sum_j log C_jj
                   + w_D (tr Pi^-1 C - K + log det Pi) ]

**Gradient.** With H = W^T W / s2 + (w_I - w_B) C^-1 + (w_B - w_W) blockdiag(C_gg^-1) + (w_W - w_D) diag(1/C_jj) + w_D
Pi^-1

    d/dV = H V S - W^T S / s2,   d/dQ = (H - w_I Q^-1) / 2 on the blocks of the family,   d/dW = (W C - S V^T) / s2,
    d/ds2 = D / (2 s2) - distortion / (2 s2^2).

`grouped_loss` and `grouped_gradient` take plain arrays, also complex ones, and are analytic in them: a complex step
differentiates them to machine precision. `theory.groups.grouped_terms` gives the same numbers part by part.

**Special cases.** Exact. All weights beta: the beta-VAE. Weight beta on between with groups of one and 1 elsewhere: the
beta-TCVAE of R. Chen et al. (2018). Other groups are in the setting of Chen, Wang, Zou (2022) and Chen, Xiang, Wang
(2025), whose exact objective this is not claimed to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from theory import gaussian, validation
from theory.partition import Posterior, partition, partition_mask

LARGEST_COMPLEX_STEP = 1e-6  # imaginary part, as a share of the largest real part
LEAST_RESOLVED = 1e-11  # least eigenvalue of the correlations of a code

__all__ = [
    "GroupedGradient",
    "Weights",
    "WeightsOfMany",
    "code_cost",
    "code_slope",
    "grouped_gradient",
    "grouped_loss",
    "of_matrices",
    "refuse_singular",
    "weights_at",
]


@dataclass(frozen=True)
class Weights:
    """The weight of each part of the rate; all 1 by default, which gives the evidence lower bound.

    Attributes
    ----------
    mutual_information : float > 0, w_I
    between, within : float, w_B and w_W
        of the total correlation between and inside groups.
    dimension_wise : float, w_D
        of the divergences of single latents from the prior. A group-wise divergence is within plus dimension-wise:
        give both the same weight.

    Examples
    --------
    >>> from theory.groups import Weights
    >>> Weights.independence(4.0)
    Weights(mutual_information=1.0, between=4.0, within=1.0, dimension_wise=1.0)
    >>> Weights.uniform(2.0) == Weights(2.0, 2.0, 2.0, 2.0)
    True
    """

    mutual_information: float = 1.0
    between: float = 1.0
    within: float = 1.0
    dimension_wise: float = 1.0

    def __post_init__(self):
        object.__setattr__(
            self, "mutual_information", validation.positive("mutual_information", self.mutual_information)
        )
        for name in ("between", "within", "dimension_wise"):
            object.__setattr__(self, name, validation.number(name, getattr(self, name)))

    @classmethod
    def uniform(cls, beta: float) -> Weights:
        """The beta-VAE: beta on every part."""
        beta = validation.positive("beta", beta)
        return cls(beta, beta, beta, beta)

    @classmethod
    def independence(cls, beta: float) -> Weights:
        """The grouped penalty: beta on the total correlation between groups, 1 on the rest."""
        return cls(between=validation.number("beta", beta))

    @property
    def of_parts(self) -> tuple[float, float, float, float]:
        """w_I, w_B, w_W, w_D."""
        return self.mutual_information, self.between, self.within, self.dimension_wise

    @property
    def of_log_determinants(self) -> tuple[float, float, float]:
        """Weights of half the log-determinants of the code: of the whole, of each group, of each latent."""
        return (
            self.mutual_information - self.between,
            self.between - self.within,
            self.within - self.dimension_wise,
        )


@dataclass(frozen=True, eq=False)
class WeightsOfMany:
    """`Weights` of the problems of a stack, by the same names: (count,) arrays."""

    mutual_information: np.ndarray
    between: np.ndarray
    within: np.ndarray
    dimension_wise: np.ndarray

    @classmethod
    def stacked(cls, weights: Sequence[Weights]) -> WeightsOfMany:
        return cls(*np.array([one.of_parts for one in weights]).T)

    of_parts, of_log_determinants = Weights.of_parts, Weights.of_log_determinants


def weights_at(which: np.ndarray | slice, weights: Weights | WeightsOfMany) -> Weights | WeightsOfMany:
    """The weights of the problems at some places of a stack; those of all are the same anywhere."""
    return weights if isinstance(weights, Weights) else WeightsOfMany(*(part[which] for part in weights.of_parts))


@dataclass(frozen=True, eq=False)
class GroupedGradient:
    """Gradient of the grouped objective.

    Attributes
    ----------
    decoder : (D, K) array
    encoder : (K, D) array
    posterior_covariance : (K, K) array
        symmetric, with d loss = sum of gradient times dQ over all entries; for a family only its blocks count.
    noise_variance : float
    """

    decoder: np.ndarray
    encoder: np.ndarray
    posterior_covariance: np.ndarray
    noise_variance: float


def code_cost(code: np.ndarray, weights: Weights | WeightsOfMany, together: np.ndarray, prior=None):
    """The terms of the loss in the code's covariance: all except distortion and log det Q; (..., K, K) -> (...).

    `together`, (..., K, K), is true where two latents share a group: C without its other entries, blockdiag(C_gg), has
    the determinant prod_g det C_gg.
    """
    of_whole, of_group, of_latent = weights.of_log_determinants
    precision, log_det_prior = _prior(prior, code.shape[-1])
    singles = np.log(np.diagonal(code, axis1=-2, axis2=-1)).sum(-1)
    inside = _log_det(np.where(together, code, 0))
    mismatch = (precision * code).sum((-2, -1)) - code.shape[-1] + log_det_prior
    parts = of_whole * _log_det(code) + of_group * inside + of_latent * singles
    return (parts + weights.dimension_wise * mismatch) / 2


def code_slope(code: np.ndarray, weights: Weights | WeightsOfMany, together: np.ndarray, prior=None) -> np.ndarray:
    """Twice the gradient of `code_cost`, H without W^T W / s2; (..., K, K) -> (..., K, K)."""
    of_whole, of_group, of_latent = map(of_matrices, weights.of_log_determinants)
    precision, _ = _prior(prior, code.shape[-1])
    slope = of_whole * np.linalg.inv(code) + of_matrices(weights.dimension_wise) * precision
    slope += of_group * np.linalg.inv(np.where(together, code, 0))
    every = np.arange(code.shape[-1])
    slope[..., every, every] += of_latent[..., 0] / code[..., every, every]
    return slope


def of_matrices(weight) -> np.ndarray:
    """A weight, or those of many problems, (...), as factors of matrices, (..., 1, 1)."""
    return np.asarray(weight)[..., np.newaxis, np.newaxis]


def refuse_singular(name: str, code: np.ndarray) -> None:
    """Refuse a code whose log-determinant double precision does not resolve; `name` is the argument to name.

    Scaled to unit diagonal, a covariance of least eigenvalue e has a log-determinant that is uncertain by about
    2e-16 / e nats, so by 2e-5 at the bound.
    """
    if gaussian.unit_spectrum(code)[0].min(initial=1.0) < LEAST_RESOLVED:
        raise ValueError(
            f"{name} must not be so small against the signal in the code: the covariance of the code is singular up to "
            "rounding, latents are nearly copies of each other; pass a larger one, or fewer latents"
        )


def grouped_loss(decoder, encoder, posterior_covariance, noise_variance, covariance, weights, groups, *, prior=None):
    """The grouped objective of plain arrays, in nats.

    Parameters
    ----------
    decoder : (D, K) array
    encoder : (K, D) array
    posterior_covariance : (K, K) array, its real part positive definite
    noise_variance : float > 0, or complex with a real part > 0
    covariance : (D, D) array
        of the data about the mean of the VAE.
    weights : Weights
    groups : "diagonal", "full", or a list of groups of latents
    prior : (K, K) array, optional
        covariance of the prior, positive definite.

    Returns
    -------
    float, or complex for complex arguments

    Raises
    ------
    ValueError
        for shapes that do not fit, a matrix that is not positive definite, numbers so large that the loss overflows, or
        a code that is singular up to rounding.

    Examples
    --------
    >>> from theory.groups import Weights, grouped_loss
    >>> arguments = [[1.0]], [[0.5]], [[0.5]], 0.5, [[2.0]], Weights(), "full"
    >>> round(float(grouped_loss(*arguments)), 4)
    1.9189
    """
    decoder, encoder, posterior_covariance, noise_variance, covariance, together, prior = _checked(
        decoder, encoder, posterior_covariance, noise_variance, covariance, weights, groups, prior
    )
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        code = _finite(encoder @ covariance @ encoder.T + posterior_covariance)
        loss = _finite(
            _distortion(decoder, encoder, posterior_covariance, covariance) / (2 * noise_variance)
            + len(covariance) / 2 * np.log(2 * np.pi * noise_variance)
            + code_cost(code, weights, together, prior)
            - weights.mutual_information / 2 * _log_det(posterior_covariance)
        )
    refuse_singular("posterior_covariance", code.real)
    return loss


def grouped_gradient(
    decoder, encoder, posterior_covariance, noise_variance, covariance, weights, groups, *, prior=None
) -> GroupedGradient:
    """The exact gradient of `grouped_loss`; the same arguments, real or complex, and the same errors.

    Examples
    --------
    >>> from theory.groups import Weights, grouped_gradient
    >>> arguments = [[1.0]], [[0.5]], [[0.5]], 0.5, [[2.0]], Weights(), "full"
    >>> grouped_gradient(*arguments).encoder.round(6)
    array([[-1.]])
    """
    decoder, encoder, posterior_covariance, noise_variance, covariance, together, prior = _checked(
        decoder, encoder, posterior_covariance, noise_variance, covariance, weights, groups, prior
    )
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        code = _finite(encoder @ covariance @ encoder.T + posterior_covariance)
        slope = decoder.T @ decoder / noise_variance + code_slope(code, weights, together, prior)
        distortion = _distortion(decoder, encoder, posterior_covariance, covariance)
        gradient = GroupedGradient(
            decoder=_finite((decoder @ code - covariance @ encoder.T) / noise_variance),
            encoder=_finite(slope @ encoder @ covariance - decoder.T @ covariance / noise_variance),
            posterior_covariance=_finite(
                (slope - weights.mutual_information * np.linalg.inv(posterior_covariance)) / 2
            ),
            noise_variance=_finite(
                len(covariance) / (2 * noise_variance) - distortion / noise_variance / (2 * noise_variance)
            ),
        )
    refuse_singular("posterior_covariance", code.real)
    return gradient


def _checked(decoder, encoder, posterior_covariance, noise_variance, covariance, weights, groups: Posterior, prior):
    """The checked arguments of both functions: real parts as of a model, finite imaginary parts; groups as a mask."""
    decoder = _array("decoder", decoder)
    data_dim, latent_dim = decoder.shape
    noise = _array("noise_variance", noise_variance, ())[()]
    validation.positive("noise_variance", noise.real)
    validation.instance("weights", weights, Weights, "pass theory.groups.Weights(...)")
    return (
        decoder,
        _array("encoder", encoder, (latent_dim, data_dim)),
        _positive_definite("posterior_covariance", posterior_covariance, latent_dim),
        noise,
        _array("covariance", covariance, (data_dim, data_dim)),
        partition_mask(partition(groups, latent_dim, "groups"), latent_dim),
        None if prior is None else _positive_definite("prior", prior, latent_dim),
    )


def _array(name: str, value, shape: tuple[int | None, ...] = (None, None)) -> np.ndarray:
    """A matrix, or with an empty shape a number; complex only with imaginary parts as small as a complex step."""

    def check(part):
        return validation.matrix(name, part, shape) if shape else np.array(validation.number(name, part))

    if not isinstance(value, np.ndarray | np.complexfloating) or not np.iscomplexobj(value):
        return check(value)
    if np.ma.isMaskedArray(value) or np.abs(value.imag).max(initial=0.0) > LARGEST_COMPLEX_STEP * np.abs(
        value.real
    ).max(initial=0.0):
        raise ValueError(
            f"{name} must be real, or real with imaginary parts as small as a complex step; pass real numbers"
        )
    return check(value.real) + 1j * check(value.imag)


def _positive_definite(name: str, value, size: int) -> np.ndarray:
    array = _array(name, value, (size, size))
    try:
        np.linalg.cholesky(validation.symmetric_matrix(name, array.real))
    except np.linalg.LinAlgError:
        raise ValueError(f"{name} must be positive definite; pass a covariance matrix of full rank") from None
    return array


def _finite(value):
    if not np.isfinite(value).all():
        raise ValueError(
            "decoder, encoder, posterior_covariance, covariance or noise_variance is so large or small that the loss "
            "leaves the range of floats; choose other units"
        )
    return value


def _distortion(decoder, encoder, posterior_covariance, covariance):
    """tr (I - W V) S (I - W V)^T + tr W Q W^T, sums of squares: nothing cancels where little is lost."""
    leak = np.eye(len(covariance)) - decoder @ encoder
    return np.sum((leak @ covariance) * leak) + np.sum((decoder @ posterior_covariance) * decoder)


def _prior(prior, latent_dim: int) -> tuple[np.ndarray, float]:
    if prior is None:
        return np.eye(latent_dim), 0.0
    return np.linalg.inv(prior), _log_det(prior)


def _log_det(matrix: np.ndarray):
    """log det, analytic near the positive definite matrices: slogdet's sign is a phase for complex ones."""
    sign, log_modulus = np.linalg.slogdet(matrix)
    return log_modulus + np.log(sign)
