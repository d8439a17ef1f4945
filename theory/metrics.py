"""Disentanglement scores of a Gaussian code, in closed form.

Factors s and code z are jointly Gaussian; everything follows from their correlations r_ij (factor i, code j):

    mutual information      I(s_i; z_j) = -1/2 log(1 - r_ij^2), in nats
    MIG                     mean_i [I_i(1) - I_i(2)] / H(s_i), both sides of variables cut into 20 bins; or, of the
                            continuous ones, mean_i [I_i(1) - I_i(2)] / I_i(1)
    SAP                     mean_i [r^2_i(1) - r^2_i(2)]
    linear DCI              from the importances |b_ji| of the regression of each factor on all codes, standardised
    MCC                     mean_i |r_i p(i)| of the best assignment p of codes to factors
    total correlation       -1/2 log det of the correlations of the code
    Hoyer sparsity          (sqrt L - E ||z||_1/||z||_2) / (sqrt L - 1), each z_j over its standard deviation

(1) and (2) are the two codes with the largest values for a factor. Averages are over the factors that vary, and a code
that is constant counts as one that says nothing. Exact, up to one smooth integral for the
sparsity.

These are population values: the scores as usual libraries define them for samples, of the true correlations. Scores of
samples approach them, with two exceptions. A factor that the code does not know has a continuous gap of 0, but in a
sample 1 - I(2)/I(1) is a ratio of two errors, which does not shrink with more data; nor do the shares of DCI for a code
that knows no factor, all of whose importances are errors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import beta

from theory import gaussian, validation
from theory.binned import binned_entropy, binned_information, check_bins, discrete_entropy
from theory.model import GenerativeModel, LinearVAE, linear_vae

__all__ = [
    "DCI",
    "GaussianCode",
    "Scores",
    "dci",
    "hoyer_chance_level",
    "hoyer_sparsity",
    "mean_correlation",
    "mutual_information_gap",
    "mutual_information_matrix",
    "sap",
    "scores",
    "total_correlation",
]

CODES = ("mean", "sample")
SMALLEST, LARGE = np.finfo(float).tiny, 1e100  # of variances that are floats to all digits; of a wrong correlation

NEARLY_DEPENDENT = 1e-4  # least eigenvalue of the correlations of codes, below which a regression loses digits

LEAST_ENTROPY = 1e-6  # of a binned factor, in nats: informations are differences of entropies, with errors of 1e-16

DECAY, STEP = 40.0, 0.1  # of the integral of the sparsity, in log t: exp(-40) is below rounding

# A correlation is a sum of products, each rounded: this near to 0 or to 1 (or to -1) it cannot be told from it.
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
    """

    factor_covariance: np.ndarray
    code_covariance: np.ndarray
    cross_covariance: np.ndarray
    # Where the code was made from a truth and a VAE: F with F F^T = the correlations of the codes that vary, the
    # rounding of its rows, and H with H F^T those of factors with codes. Small directions have twice the digits in F
    # that they have in the product.
    _code_root: tuple[np.ndarray, float, np.ndarray] | None = field(default=None, init=False, repr=False)

    def __post_init__(self):
        factors = validation.symmetric_matrix("factor_covariance", self.factor_covariance)
        codes = validation.symmetric_matrix("code_covariance", self.code_covariance)
        cross = validation.matrix("cross_covariance", self.cross_covariance, (len(factors), len(codes)))
        # Compared in units of their own, so that a code of small numbers is checked like one of large numbers.
        units = np.sqrt(np.abs(np.concatenate([np.diagonal(factors), np.diagonal(codes)])))
        joint = np.block([[factors, cross], [cross.T, codes]])
        units = np.where(units > 0, units, 1.0)
        with np.errstate(over="ignore"):
            joint = np.clip(joint / units / units[:, np.newaxis], -LARGE, LARGE)
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
            raise ValueError(f"vae must have the truth's {truth.data_dim} data dimensions, got {vae.data_dim}")
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
        if not (np.isfinite(covariance).all() and np.isfinite(cross).all() and np.all(variances > SMALLEST)):
            raise ValueError(
                "vae must have an encoder of a size that fits the truth: the variance of its code is beyond the range "
                "of floats; scale the encoder"
            )
        found = cls(truth.factor_covariance, covariance, cross)
        lengths = np.linalg.norm(root[found.varying_codes], axis=1)
        sums = np.linalg.norm(terms[found.varying_codes], axis=1)
        rounding = sum(parts.shape) * np.finfo(float).eps * np.max(sums / lengths, initial=1.0)
        factors = factors[factors.any(axis=1)]
        factors = factors / np.linalg.norm(factors, axis=1, keepdims=True)
        factors = np.pad(factors, ((0, 0), (0, root.shape[1] - factors.shape[1])))
        root = root[found.varying_codes] / lengths[:, np.newaxis]
        object.__setattr__(found, "_code_root", (root, rounding, factors))
        return found

    @cached_property
    def correlations(self) -> np.ndarray:
        """Correlation of each factor that varies with each code, (K', L); zero for a code that is constant."""
        factors, codes = np.sqrt(np.diagonal(self.factor_covariance)), np.sqrt(np.diagonal(self.code_covariance))
        varying = factors > 0
        scale = np.outer(factors[varying], codes)
        found = np.divide(self.cross_covariance[varying], scale, out=np.zeros(scale.shape), where=scale > 0)
        found = np.where(np.abs(found) <= ROUNDING, 0.0, found)
        return np.where(1 - np.abs(found) <= ROUNDING, np.sign(found), found)

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

        As many as the code has independent directions: `gaussian.unit_spectrum` decides, unless the code was made from
        a truth and a VAE. Then its covariance is known as F F^T, and the singular values of F decide, whose squares
        they are: so a code of more latents than F has columns is singular whatever the rounding is.
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

        Of least norm where codes are dependent. Where they nearly are, from the same F as `code_spectrum`: then no
        direction is lost, and R^2 is a sum of squares that has all its digits.
        """
        correlations = self.correlations[:, self.varying_codes]
        values, directions = self.code_spectrum
        if self._code_root is not None and values.min(initial=1.0) < NEARLY_DEPENDENT:
            directions, singular, inside = self._root_spectrum
            known = correlations.any(axis=1, keepdims=True)
            shares = np.where(known, self._code_root[2] @ inside, 0.0)  # of the factor, along each direction
            coefficients = (shares / singular) @ directions.T
        else:
            shares = correlations @ (directions / np.sqrt(values))
            coefficients = correlations @ (directions / values) @ directions.T
        return coefficients, np.minimum(np.sum(shares**2, axis=1), 1.0)


@dataclass(frozen=True)
class DCI:
    """Disentanglement, completeness and informativeness, each 0 to 1, better when higher."""

    disentanglement: float
    completeness: float
    informativeness: float


@dataclass(frozen=True)
class Scores:
    """All scores of a code, as the functions of this module define them; NaN where they have no meaning."""

    mutual_information_gap: float
    continuous_gap: float
    sap: float
    disentanglement: float
    completeness: float
    informativeness: float
    mean_correlation: float
    total_correlation: float
    hoyer_sparsity: float


def scores(code: GaussianCode) -> Scores:
    """Every score of a code, each as its own function defines it.

    Parameters
    ----------
    code : GaussianCode

    Returns
    -------
    Scores
    """
    linear = dci(code)
    return Scores(
        mutual_information_gap=mutual_information_gap(code),
        continuous_gap=mutual_information_gap(code, bins=None),
        sap=sap(code),
        disentanglement=linear.disentanglement,
        completeness=linear.completeness,
        informativeness=linear.informativeness,
        mean_correlation=mean_correlation(code),
        total_correlation=total_correlation(code),
        hoyer_sparsity=hoyer_sparsity(code),
    )


def mutual_information_matrix(code: GaussianCode, *, bins: int | None = None, half_width: float = 4.0) -> np.ndarray:
    """Mutual information of each factor that varies with each code, in nats.

    -1/2 log(1 - r^2), infinite where one determines the other. With `bins`, that of the two variables cut into bins of
    equal width between -half_width and half_width standard deviations, the outer bins open: the cell probabilities are
    differences of the bivariate normal distribution function, which is exact in Owen's T function.

    Parameters
    ----------
    code : GaussianCode
    bins : int >= 2, optional
    half_width : float > 0, in standard deviations

    Returns
    -------
    (K', L) array, K' the number of factors that vary
    """
    correlations = _checked(code).correlations
    bins, half_width = check_bins(bins, half_width)
    if bins is not None:
        return binned_information(correlations, bins, half_width)
    size = np.abs(correlations)
    with np.errstate(divide="ignore"):
        # 1 - r^2 = (1 - r)(1 + r): near 1 its digits are in the first factor, near 0 in r^2.
        return -np.where(size < 0.5, np.log1p(-(size**2)), np.log1p(-size) + np.log1p(size)) / 2


def mutual_information_gap(code: GaussianCode, *, bins: int | None = 20, half_width: float = 4.0) -> float:
    """MIG: how much more the best code says of a factor than the second best, as a share, averaged over factors.

    With `bins`, factors and codes are cut into bins (see `mutual_information_matrix`) and the gap is divided by the
    entropy of the binned factor, as usual libraries do; their bins run from the smallest to the largest of the draws,
    for 10,000 about 3.9 standard deviations each way. With `bins=None` the gap of the continuous variables is divided
    by the larger information; the entropy of a continuous factor is no measure of size (it can be negative).

    Parameters
    ----------
    code : GaussianCode
    bins : int >= 2, or None
    half_width : float > 0, in standard deviations

    Returns
    -------
    float
        0 to 1; 1 for a code that is a signed permutation of independent factors, 0 for an independent code and if each
        best code has a double; NaN if no factor varies.

    Raises
    ------
    ValueError
        if an argument is out of its range.

    Notes
    -----
    A population value. In a sample, a factor that the code does not know has a binned gap that shrinks as the number of
    draws grows, and a continuous gap that does not: the ratio of two informations that are both errors.
    """
    first, second = _largest_two(mutual_information_matrix(code, bins=bins, half_width=half_width))
    if bins is None:
        share = np.zeros(len(first))
        informed = (first > 0) & np.isfinite(second)
        share[informed] = 1 - second[informed] / first[informed]
        return _mean(share)
    entropy = binned_entropy(bins, half_width)
    if entropy < LEAST_ENTROPY:
        raise ValueError(
            f"half_width must leave more than one of the bins to the draws, got {half_width!r}; pass about 4"
        )
    return _mean((first - second) / entropy)


def sap(code: GaussianCode) -> float:
    """SAP: the largest squared correlation of a factor with a code minus the second largest, averaged over factors.

    1 for a code that is a signed permutation of independent factors, 0 for an independent code and if each best code
    has a double; NaN if no factor varies.
    """
    first, second = _largest_two(_checked(code).correlations ** 2)
    return _mean(first - second)


def dci(code: GaussianCode) -> DCI:
    """Linear DCI: disentanglement, completeness and informativeness from a linear regression of factors on codes.

    With b the coefficients of the regression of each standardised factor on all standardised codes (of least norm where
    codes are dependent) and importances w_ji = |b_ji| of code j for factor i:

        disentanglement   mean over codes, weighted by their sum of w, of 1 - entropy of w_j. / sum w_j. in base K
        completeness      mean over factors, weighted by their sum of w, of 1 - entropy of w_.i / sum w_.i in base L
        informativeness   mean over factors of the explained share of variance R^2

    Parameters
    ----------
    code : GaussianCode

    Returns
    -------
    DCI
        three ones for a signed permutation of independent factors; three zeros for an independent code. With a single
        factor disentanglement is 1 (there is nothing to mix it with), with a single code completeness is. NaN if no
        factor varies.

    Notes
    -----
    A code that is constant has importance zero but counts in L: a completeness below 1 rises with every dead latent (in
    one case from .56 to .70 with 2, to .91 with 200), as that of samples does. Compare it at equal L. If no code knows
    anything of the factors all three are 0, while importances of a sample are errors, whose shares do not depend on its
    size. For codes that nearly depend the importances have an error of some 1e-15 over the least eigenvalue of their
    correlations; for those of `GaussianCode.of`, over its root.
    """
    varying = _checked(code).varying_codes
    if not len(code.correlations):
        return DCI(np.nan, np.nan, np.nan)
    coefficients, explained = code.regression
    weights = np.zeros(code.correlations.shape)
    weights[:, varying] = np.abs(coefficients)
    return DCI(
        disentanglement=_concentration(weights.T),
        completeness=_concentration(weights),
        informativeness=_mean(explained),
    )


def mean_correlation(code: GaussianCode) -> float:
    """MCC: mean over factors of |correlation| with the code assigned to each, by the best assignment one to one.

    A factor left without a code counts as zero. 1 iff the code holds a signed multiple of every factor; 0 for an
    independent code; NaN if no factor varies.
    """
    from scipy.optimize import linear_sum_assignment

    absolute = np.abs(_checked(code).correlations)
    if not len(absolute):
        return np.nan
    return float(absolute[linear_sum_assignment(absolute, maximize=True)].sum() / len(absolute))


def total_correlation(code: GaussianCode) -> float:
    """Total correlation of the codes that vary, -1/2 log det of their correlations, in nats; infinite if dependent.

    So for a mean code with more latents that vary than the rank of V S V^T, and 0 if none varies.
    """
    values, _ = _checked(code).code_spectrum
    return max(0.0, float(-np.log(values).sum() / 2)) if len(values) == code.varying_codes.sum() else np.inf


def hoyer_sparsity(code: GaussianCode) -> float:
    """Expected normalised Hoyer sparsity of a code: (sqrt L - E ||z||_1/||z||_2) / (sqrt L - 1), z standardised.

    With l_k, B the eigenvalues > 0 and eigenvectors of the correlation matrix, the expected ratio is

        (2/pi) int_0^inf prod_k (1 + l_k t^2)^(-1/2) sum_j sqrt(sum_k B_jk^2 l_k / (1 + l_k t^2)) dt,

    from 1/||z|| = pi^(-1/2) int x^(-1/2) exp(-x ||z||^2) dx with 2 x = t^2. In log t the integrand is analytic within
    pi/2 of the real line, so that the trapezoidal rule is exact to rounding. A code that is constant counts as a zero
    entry. The mean of the code is taken to be zero.

    Parameters
    ----------
    code : GaussianCode

    Returns
    -------
    float
        0 for entries of equal size, 1 for a single one that is not zero; NaN for fewer than two codes, or if none
        varies.
    """
    latent_dim = len(_checked(code).code_covariance)
    variances, directions = code.code_spectrum
    if latent_dim < 2 or not len(variances):
        return np.nan
    shares = directions**2 * variances

    # The integrand falls as t below the first 1/sqrt(l), and at least as 1/t above the last.
    logarithms = np.arange(-DECAY, DECAY - np.log(variances.min()) / 2, STEP)
    grown = 1 + np.multiply.outer(variances, np.exp(2 * logarithms))
    heights = np.exp(logarithms - np.log(grown).sum(axis=0) / 2)
    ratio = 2 / np.pi * STEP * (heights @ np.sqrt(shares @ (1 / grown)).sum(axis=0))
    return float((np.sqrt(latent_dim) - ratio) / (np.sqrt(latent_dim) - 1))


def hoyer_chance_level(latent_dim: int) -> float:
    """Hoyer sparsity of a code of L independent Gaussians: E ||z||_1/||z||_2 = L Gamma(L/2) / (sqrt pi Gamma((L+1)/2)).

    Normalised as in `hoyer_sparsity`; .2307 at L = 50, 1 - sqrt(2/pi) = .2021 for many; NaN for fewer than two codes.
    """
    latent_dim = validation.count("latent_dim", latent_dim)
    if latent_dim < 2:
        return np.nan
    ratio = latent_dim * beta(latent_dim / 2, 0.5) / np.pi  # Gamma(1/2) = sqrt pi
    return float((np.sqrt(latent_dim) - ratio) / (np.sqrt(latent_dim) - 1))


def _checked(code) -> GaussianCode:
    return validation.instance("code", code, GaussianCode, "pass GaussianCode.of(truth, vae)")


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan


def _largest_two(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest and the second largest value of each row; a missing code counts as zero."""
    padded = np.sort(np.pad(values, ((0, 0), (2, 0))), axis=1)
    return padded[:, -1], padded[:, -2]


def _concentration(weights: np.ndarray) -> float:
    """One minus the normalised entropy of each row, averaged with the sums of the rows as weights."""
    sums = weights.sum(axis=1)
    if not np.any(sums > 0):
        return 0.0
    if weights.shape[1] == 1:
        return 1.0
    rows = weights[sums > 0] / sums[sums > 0, np.newaxis]
    spread = np.array([discrete_entropy(row) for row in rows]) / np.log(weights.shape[1])
    return max(0.0, float(1 - sums[sums > 0] @ spread / sums.sum()))
