"""Every disentanglement score of a Gaussian code at once, and SAP, linear DCI, MCC and total correlation one by one.

Their formulas are in the docstring of `theory.scores`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.scores.binned import discrete_entropy
from theory.scores.gaussian_code import GaussianCode, checked_gaussian_code
from theory.scores.information import largest_two, mean_or_nan, mutual_information_gap
from theory.scores.sparsity import hoyer_sparsity

__all__ = ["DCI", "Scores", "dci", "mean_correlation", "sap", "scores", "total_correlation"]


@dataclass(frozen=True)
class DCI:
    """Disentanglement, completeness and informativeness, each 0 to 1, better when higher.

    Examples
    --------
    >>> from theory.scores import GaussianCode, dci
    >>> code = GaussianCode([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.2, 0.7]])
    >>> result = dci(code)
    >>> round(result.completeness, 4), round(result.informativeness, 4)
    (0.3912, 0.675)
    """

    disentanglement: float
    completeness: float
    informativeness: float


@dataclass(frozen=True)
class Scores:
    """All scores of a code, as the functions of `theory.scores` define them; NaN where a score is undefined.

    Examples
    --------
    >>> from theory.scores import GaussianCode, scores
    >>> code = GaussianCode([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.2, 0.7]])
    >>> result = scores(code)
    >>> round(result.sap, 4), round(result.hoyer_sparsity, 4)
    (0.625, 0.3403)
    """

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

    Examples
    --------
    >>> from theory.scores import GaussianCode, scores
    >>> code = GaussianCode([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.2, 0.7]])
    >>> round(scores(code).mutual_information_gap, 4)
    0.23
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


def sap(code: GaussianCode) -> float:
    """SAP: the largest squared correlation of a factor with a code minus the second largest, averaged over factors.

    1 for a code that is a signed permutation of independent factors, 0 for an independent code and if each best code is
    duplicated; NaN if no factor varies.

    Examples
    --------
    >>> from theory.scores import GaussianCode, sap
    >>> code = GaussianCode([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.2, 0.7]])
    >>> round(sap(code), 4)
    0.625
    """
    first, second = largest_two(checked_gaussian_code(code).correlations ** 2)
    return mean_or_nan(first - second)


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
    A constant code has importance zero but counts in L: a completeness below 1 rises with every dead latent (in one
    case from .56 to .70 with 2, to .91 with 200), as that of samples does. Compare it at equal L. If the code is
    independent of the factors all three are 0, while importances of a sample are errors, whose shares do not depend on
    its size. For nearly dependent codes the importances have an error of some 1e-15 over the least eigenvalue of their
    correlations; for those of `GaussianCode.of`, over its square root.

    Examples
    --------
    >>> from theory.scores import GaussianCode, dci
    >>> code = GaussianCode([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.2, 0.7]])
    >>> round(dci(code).disentanglement, 4)
    0.3751
    """
    varying = checked_gaussian_code(code).varying_codes
    if not len(code.correlations):
        return DCI(np.nan, np.nan, np.nan)
    coefficients, explained = code.regression
    weights = np.zeros(code.correlations.shape)
    weights[:, varying] = np.abs(coefficients)
    return DCI(
        disentanglement=_concentration(weights.T),
        completeness=_concentration(weights),
        informativeness=mean_or_nan(explained),
    )


def mean_correlation(code: GaussianCode) -> float:
    """MCC: mean over factors of |correlation| with the code assigned to each, by the best assignment one to one.

    A factor without an assigned code counts as zero. 1 iff the code contains a signed multiple of every factor; 0 for
    an independent code; NaN if no factor varies.

    Examples
    --------
    >>> from theory.scores import GaussianCode, mean_correlation
    >>> code = GaussianCode([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.1], [0.2, 0.7]])
    >>> round(mean_correlation(code), 4)
    0.8
    """
    from scipy.optimize import linear_sum_assignment

    absolute = np.abs(checked_gaussian_code(code).correlations)
    if not len(absolute):
        return np.nan
    return float(absolute[linear_sum_assignment(absolute, maximize=True)].sum() / len(absolute))


def total_correlation(code: GaussianCode) -> float:
    """Total correlation of the codes that vary, -1/2 log det of their correlations, in nats; infinite if dependent.

    It is infinite for a mean code with more varying latents than the rank of V S V^T, and 0 if no latent varies.

    Examples
    --------
    >>> from theory.scores import GaussianCode, total_correlation
    >>> code = GaussianCode([[1.0]], [[1.0, 0.5], [0.5, 1.0]], [[0.5, 0.5]])
    >>> round(total_correlation(code), 4)
    0.1438
    """
    values, _ = checked_gaussian_code(code).code_spectrum
    return max(0.0, float(-np.log(values).sum() / 2)) if len(values) == code.varying_codes.sum() else np.inf


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
