"""A Gaussian code and its factors: the correlations, spectrum and regression that every score uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from theory import gaussian, validation
from theory.model import GenerativeModel, LinearVAE, linear_vae

__all__ = ["GaussianCode", "checked_gaussian_code"]


CODES = ("mean", "sample")
LEAST_VARIANCE = np.finfo(float).tiny  # a smaller variance has lost digits
LARGEST_CORRELATION = 1e100  # invalid "correlations" above 1 are cut here, so that their check does not overflow
NEARLY_DEPENDENT = 1e-4  # least eigenvalue of the correlations of codes, below which a regression loses digits
# A correlation is a sum of rounded products: closer than this to 0, 1 or -1 it cannot be distinguished from that value.
ROUNDING = 16 * np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class GaussianCode:
    """Factors and a code that are jointly Gaussian, by their covariances.

    Parameters
    ----------
    factor_covariance : (K, K) array
    code_covariance : (L, L) array
    cross_covariance : (K, L) array, cov(factor, code)

    Raises
    ------
    ValueError
        if the shapes do not fit or the three together are not a covariance.

    Examples
    --------
    >>> from theory import GenerativeModel, optimal_encoder
    >>> from theory.scores import GaussianCode
    >>> truth = GenerativeModel([[1.0, 0.9], [0.0, 0.4]], 0.05)
    >>> GaussianCode.of(truth, optimal_encoder(truth.loading, 0.05, beta=1.0)).correlations.round(3)
    array([[0.897, 0.193],
           [0.192, 0.894]])
    """

    factor_covariance: np.ndarray
    code_covariance: np.ndarray
    cross_covariance: np.ndarray
    # If the code was made from a truth and a VAE: F with F F^T = the correlations of the codes that vary, the rounding
    # of its rows, and H with H F^T = those of factors with codes. Small directions have twice as many digits in F as in
    # the product.
    _code_root: tuple[np.ndarray, float, np.ndarray] | None = field(default=None, init=False, repr=False)

    def __post_init__(self):
        factors = validation.symmetric_matrix("factor_covariance", self.factor_covariance)
        codes = validation.symmetric_matrix("code_covariance", self.code_covariance)
        cross = validation.matrix("cross_covariance", self.cross_covariance, (len(factors), len(codes)))
        # In units in which each variance is 1, so that the check does not depend on the size of the code.
        units = np.sqrt(np.abs(np.concatenate([np.diagonal(factors), np.diagonal(codes)])))
        joint = np.empty((len(units), len(units)))
        joint[: len(factors), : len(factors)], joint[: len(factors), len(factors) :] = factors, cross
        joint[len(factors) :, : len(factors)], joint[len(factors) :, len(factors) :] = cross.T, codes
        units = np.where(units > 0, units, 1.0)
        with np.errstate(over="ignore"):
            joint = np.clip(joint / units / units[:, np.newaxis], -LARGEST_CORRELATION, LARGEST_CORRELATION)
        try:
            validation.covariance_matrix("joint covariance of factors and code", joint)
        except ValueError as error:
            raise ValueError(
                f"{error}; here factor_covariance, code_covariance and cross_covariance do not fit together"
            ) from None
        for name, value in (("factor_covariance", factors), ("code_covariance", codes), ("cross_covariance", cross)):
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, truth: GenerativeModel, vae: LinearVAE, *, code: str = "mean") -> GaussianCode:
        """The factors of a truth and the code of a VAE on its data: the posterior mean V x, or a sample of q(z|x).

        cov(s, z) = Gamma A^T V^T; cov(z) = V S V^T, plus Q for a sample.

        Parameters
        ----------
        truth : GenerativeModel
        vae : LinearVAE
        code : "mean" or "sample"

        Returns
        -------
        GaussianCode
        """
        truth = validation.instance("truth", truth, GenerativeModel)
        vae, code = linear_vae("vae", vae), validation.choice("code", code, CODES)
        if vae.data_dim != truth.data_dim:
            raise ValueError(
                f"vae must have the truth's {truth.data_dim} data dimensions, got {vae.data_dim}; pass another VAE"
            )
        # x = parts e with e ~ N(0, I): the factors that vary, and the noise if there is any.
        factors = truth.factor_root[:, truth.factor_root.any(axis=0)]
        parts = truth.loading @ factors
        if truth.noise_variance > 0:
            parts = np.hstack([parts, np.sqrt(truth.noise_variance) * np.eye(truth.data_dim)])
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            root, terms = vae.encoder @ parts, np.abs(vae.encoder) @ np.abs(parts)
            if code == "sample":
                noise = gaussian.cholesky(vae.posterior_covariance)
                root, terms = np.hstack([root, noise]), np.hstack([terms, np.abs(noise)])
            covariance = root @ root.T
            cross = truth.factor_covariance @ truth.loading.T @ vae.encoder.T
        variances = np.diagonal(covariance)[root.any(axis=1)]
        if not (np.isfinite(covariance).all() and np.isfinite(cross).all() and np.all(variances > LEAST_VARIANCE)):
            raise ValueError(
                "vae must have an encoder of a size that fits the truth: the variance of its code is beyond the range "
                "of floats; scale the encoder"
            )
        result = cls(truth.factor_covariance, covariance, cross)
        lengths = np.linalg.norm(root[result.varying_codes], axis=1)
        sums = np.linalg.norm(terms[result.varying_codes], axis=1)
        rounding = sum(parts.shape) * np.finfo(float).eps * np.max(sums / lengths, initial=1.0)
        factors = factors[factors.any(axis=1)]
        padded = np.zeros((len(factors), root.shape[1]))
        padded[:, : factors.shape[1]] = factors / np.linalg.norm(factors, axis=1, keepdims=True)
        root = root[result.varying_codes] / lengths[:, np.newaxis]
        object.__setattr__(result, "_code_root", (root, rounding, padded))
        return result

    @cached_property
    def correlations(self) -> np.ndarray:
        """Correlation of each factor that varies with each code, (K', L); zero for a code that is constant."""
        factors, codes = np.sqrt(np.diagonal(self.factor_covariance)), np.sqrt(np.diagonal(self.code_covariance))
        varying = factors > 0
        scale = np.outer(factors[varying], codes)
        result = np.divide(self.cross_covariance[varying], scale, out=np.zeros(scale.shape), where=scale > 0)
        result = np.where(np.abs(result) <= ROUNDING, 0.0, result)
        return np.where(1 - np.abs(result) <= ROUNDING, np.sign(result), result)

    @cached_property
    def varying_codes(self) -> np.ndarray:
        """Which codes vary, (L,) booleans."""
        return np.diagonal(self.code_covariance) > 0

    @cached_property
    def code_correlation(self) -> np.ndarray:
        """Correlation matrix of the codes that vary."""
        kept = self.code_covariance[np.ix_(self.varying_codes, self.varying_codes)]
        scale = np.sqrt(np.diagonal(kept))
        return kept / scale / scale[:, np.newaxis]

    @cached_property
    def code_spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues > 0 of the correlation matrix of the codes that vary, ascending, and eigenvectors, in columns.

        Their number is the rank of the code, by `gaussian.unit_spectrum`, unless the code was made from a truth and a
        VAE. Then its covariance is F F^T, and the eigenvalues are the squares of the singular values of F: so a code of
        more latents than F has columns is singular whatever the rounding is.
        """
        if self._code_root is None:
            values, directions, _ = gaussian.unit_spectrum(self.code_correlation)
        else:
            directions, singular, _ = self._root_spectrum
            values = singular**2
        return values[values > 0], directions[:, values > 0]

    @cached_property
    def _root_spectrum(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The singular value decomposition of F, ascending, without the singular values that are rounding."""
        root, rounding, _ = self._code_root
        left, singular, right = np.linalg.svd(root, full_matrices=False)
        kept = np.flatnonzero(singular > rounding * singular.max(initial=0.0))[::-1]
        return left[:, kept], singular[kept], right[kept].T

    @cached_property
    def regression(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the standardised factors that vary on the standardised codes that vary: coefficients, and R^2 of each.

        Coefficients of least norm if codes are dependent. If they nearly are, computed from the F of `code_spectrum`:
        then no direction is lost, and R^2 is a sum of squares with all its digits.
        """
        correlations = self.correlations[:, self.varying_codes]
        values, directions = self.code_spectrum
        if self._code_root is not None and values.min(initial=1.0) < NEARLY_DEPENDENT:
            directions, singular, inside = self._root_spectrum
            correlated = correlations.any(axis=1, keepdims=True)
            shares = np.where(correlated, self._code_root[2] @ inside, 0.0)  # of the factor, along each direction
            coefficients = (shares / singular) @ directions.T
        else:
            shares = correlations @ (directions / np.sqrt(values))
            coefficients = correlations @ (directions / values) @ directions.T
        return coefficients, np.minimum(np.sum(shares**2, axis=1), 1.0)


def checked_gaussian_code(code) -> GaussianCode:
    return validation.instance("code", code, GaussianCode, "pass GaussianCode.of(truth, vae)")
