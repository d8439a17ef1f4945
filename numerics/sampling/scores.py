"""Disentanglement scores of draws, by scikit-learn's tools, and what one of them tends to, by quadrature.

The experiment for `theory.scores.disentanglement`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.special import ndtr

from theory import gaussian, validation
from theory.scores import Scores
from theory.scores.binned import check_bins

__all__ = ["binned_gap_by_quadrature", "sample_mean_correlation", "sample_scores"]


def sample_scores(factors, codes, *, bins: int = 20, half_width: float = 4.0) -> Scores:
    """Every score of `theory.scores.disentanglement` of a sample: binned information, linear regression, assignment of
    correlations.

    No closed form is used: information is counted in bins of equal width (`KBinsDiscretizer`,
    `mutual_info_score`), importances and R^2 come from `LinearRegression`, the sparsity from each code. Only the
    continuous information and the total correlation are Gaussian, by the sample correlations.

    Constant columns count as in `theory.scores.disentanglement`: averages are over the factors that vary, NaN if none
    does; a constant code has no information, importance zero and a zero entry in the sparsity.

    Parameters
    ----------
    factors : (n, K) array, n >= 2
    codes : (n, L) array
        of any distribution.
    bins : int, 2 to 1000
    half_width : float > 0
        the bins cover this many standard deviations on either side of the mean; the outer ones include the rest.

    Returns
    -------
    Scores
        biased upward by up to (bins - 1)^2 / (2 n) nats of information over the entropy in `mutual_information_gap`.
        For a factor independent of all codes `continuous_gap` is a ratio of two errors, and so are the shares of
        `disentanglement` and `completeness` if all codes are independent of all factors: with more draws they do not
        come nearer to 0, the value of the theory.

    Raises
    ------
    ValueError
        if the two do not have the same number of rows, at least two, or an argument is out of its range.
    """
    from sklearn.linear_model import LinearRegression

    factors, codes = validation.matrix("factors", factors), validation.matrix("codes", codes)
    if len(factors) != len(codes):
        raise ValueError(f"codes must have one row per row of factors, got {len(codes)} for {len(factors)}")
    if len(factors) < 2:
        raise ValueError(f"factors must have at least two rows, got {len(factors)}; pass one draw per row")
    bins, half_width = check_bins(validation.count("bins", bins), half_width)
    half_width = min(half_width, float(len(factors)))  # no draw lies beyond
    latent_dim = codes.shape[1]
    factors, codes = (values[:, values.any(axis=0)] for values in map(_standardised, (factors, codes)))
    of_code = {
        "total_correlation": gaussian.total_correlation(codes.T @ codes / len(codes)),
        "hoyer_sparsity": _sparsity(codes, latent_dim),
    }
    if not (factors.size and codes.size):
        return Scores(*[0.0 if factors.size else np.nan] * 7, **of_code)
    information, entropies = _binned_information(factors, codes, bins, half_width)
    if not entropies.all():
        raise ValueError(f"half_width must leave the factors more than one bin, got {half_width!r}; pass about 4")
    correlations = factors.T @ codes / len(factors)
    absolute = np.minimum(np.abs(correlations), 1.0)
    with np.errstate(divide="ignore"):
        # A correlation that is 1 up to rounding determines the factor.
        first, second = _largest_two(-np.log1p(-np.where(absolute > 1 - 1e-14, 1.0, absolute**2)) / 2)
    fit = LinearRegression().fit(codes, factors)
    weights = np.pad(np.abs(fit.coef_), ((0, 0), (0, latent_dim - codes.shape[1])))
    return Scores(
        mutual_information_gap=float(np.mean(-np.diff(_largest_two(information), axis=0)[0] / entropies)),
        continuous_gap=float(np.mean(_gaps(first, second))),
        sap=float(np.mean(-np.diff(_largest_two(correlations**2), axis=0))),
        disentanglement=_concentration(weights.T),
        completeness=_concentration(weights),
        informativeness=float(fit.score(codes, factors)),
        mean_correlation=_mean_of_assigned(absolute),
        **of_code,
    )


def sample_mean_correlation(factors, codes) -> float:
    """MCC of draws: mean over factors of the absolute sample correlation with the code assigned to each.

    A constant column has correlation zero with everything, and a factor without an assigned code counts as zero.

    Parameters
    ----------
    factors, codes : (n, K) and (n, L) arrays, n >= 2, K >= 1
    """
    factors = validation.matrix("factors", factors)
    codes = validation.matrix("codes", codes, (len(factors), None))
    if len(factors) < 2 or not factors.shape[1]:
        raise ValueError(f"factors must have two rows and a column at least, got {factors.shape}")
    return _mean_of_assigned(np.abs(_standardised(factors).T @ _standardised(codes)) / len(factors))


def _mean_of_assigned(correlations: np.ndarray) -> float:
    """The mean over factors, one a row, of the correlation with the code that the best assignment gives to each."""
    from scipy.optimize import linear_sum_assignment

    return float(correlations[linear_sum_assignment(correlations, maximize=True)].sum() / len(correlations))


def _standardised(values: np.ndarray) -> np.ndarray:
    """Each column with mean 0 and variance 1; zeros where it is constant."""
    varies = (values != values[0]).any(axis=0)
    columns = values[:, varies]
    # By a power of two, which rounds nothing, so that no square over- or underflows.
    columns = np.ldexp(columns, -np.frexp(np.abs(columns).max(axis=0))[1])
    columns = columns - columns[0]  # exact where the column lies far from zero, unlike the mean
    columns = columns - columns.mean(axis=0)
    result = np.zeros(values.shape)
    result[:, varies] = columns / columns.std(axis=0)
    return result


def _sparsity(codes: np.ndarray, latent_dim: int) -> float:
    """Mean Hoyer sparsity of the draws; NaN for fewer than two codes, or if none varies."""
    if latent_dim < 2 or not codes.size:
        return np.nan
    lengths = np.linalg.norm(codes, axis=1)
    root, moved = np.sqrt(latent_dim), lengths > 0
    return float(np.mean(root - np.abs(codes[moved]).sum(axis=1) / lengths[moved]) / (root - 1))


def _gaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """1 - second/first; 0 where no code informs about a factor, and where two codes determine it."""
    known = (first > 0) & np.isfinite(second)
    return np.where(known, 1 - np.where(known, second, 0.0) / np.where(known, first, 1.0), 0.0)


def _binned_information(factors, codes, bins: int, half_width: float) -> tuple[np.ndarray, np.ndarray]:
    """Mutual information of each binned factor with each binned code, and the entropy of each binned factor."""
    from sklearn.metrics import mutual_info_score
    from sklearn.preprocessing import KBinsDiscretizer

    cut = KBinsDiscretizer(bins, encode="ordinal", strategy="uniform").fit([[-half_width], [half_width]])
    binned_factors, binned_codes = (
        [cut.transform(column[:, np.newaxis])[:, 0].astype(int) for column in values.T] for values in (factors, codes)
    )
    information = [[mutual_info_score(factor, code) for code in binned_codes] for factor in binned_factors]
    return np.array(information), np.array([mutual_info_score(factor, factor) for factor in binned_factors])


def _largest_two(values: np.ndarray) -> np.ndarray:
    """The largest and the second largest value of each row, as two rows; a missing code counts as zero."""
    return np.sort(np.pad(values, ((0, 0), (2, 0))), axis=1)[:, [-1, -2]].T


def _concentration(weights: np.ndarray) -> float:
    """One minus the normalised entropy of each row, averaged with the sums of the rows as weights."""
    from scipy.stats import entropy

    sums = weights.sum(axis=1)
    if not sums.any():
        return 0.0
    if weights.shape[1] == 1:
        return 1.0
    spread = entropy(weights[sums > 0], base=weights.shape[1], axis=1)
    return max(0.0, float(np.average(1 - spread, weights=sums[sums > 0])))


def binned_gap_by_quadrature(correlations: np.ndarray, *, bins: int = 20, half_width: float = 4.0) -> float:
    """The mutual information gap of Gaussian factors (rows) and codes (columns), cut into bins: what draws tend to.

    The gap between the two largest informations about each factor, over the entropy of the factor.
    """
    gaps = []
    for row in correlations:
        tables = [_probabilities(rho, bins, half_width) for rho in row]
        one = tables[0].sum(axis=1)
        entropy = -np.sum(one * np.log(one))
        first, second = sorted((_information_of_table(table) for table in tables), reverse=True)[:2]
        gaps.append((first - second) / entropy)
    return float(np.mean(gaps))


def _probabilities(correlation: float, bins: int, half_width: float) -> np.ndarray:
    """Of pairs of bins for two normal numbers, the second given the first; Gauss-Legendre in each bin of the first."""
    edges = np.linspace(-half_width, half_width, bins + 1)
    outer = np.concatenate([[-10.0], edges[1:-1], [10.0]])  # the outer bins include the rest
    inner = np.concatenate([[-np.inf], edges[1:-1], [np.inf]])
    # A correlation of one up to rounding leaves each bin of one in the same bin of the other.
    spread = np.sqrt(max(1 - correlation**2, 1e-30))
    nodes, weights = np.polynomial.legendre.leggauss(60)
    table = np.zeros((bins, bins))
    for number, (low, high) in enumerate(pairwise(outer)):
        x = (low + high) / 2 + (high - low) / 2 * nodes
        density = (high - low) / 2 * weights * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
        below = ndtr((inner[:, None] - correlation * x) / spread)
        table[number] = np.diff(below, axis=0) @ density
    return table


def _information_of_table(table: np.ndarray) -> float:
    independent = np.outer(table.sum(axis=1), table.sum(axis=0))
    seen = table > 0
    return float(np.sum(table[seen] * np.log(table[seen] / independent[seen])))
