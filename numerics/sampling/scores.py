"""Disentanglement scores of draws, by scikit-learn's tools: the experiment for `theory.scores.disentanglement`."""

from __future__ import annotations

import numpy as np

from theory import gaussian, validation
from theory.scores import Scores
from theory.scores.binned import check_bins

__all__ = ["sample_scores"]


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
    from scipy.optimize import linear_sum_assignment
    from sklearn.linear_model import LinearRegression

    factors, codes = validation.matrix("factors", factors), validation.matrix("codes", codes)
    if len(factors) != len(codes):
        raise ValueError(f"codes must have one row per row of factors, got {len(codes)} for {len(factors)}")
    if len(factors) < 2:
        raise ValueError(f"factors must have at least two rows, got {len(factors)}; pass one draw per row")
    bins, half_width = check_bins(validation.count("bins", bins), half_width)
    half_width = min(half_width, float(len(factors)))  # no draw lies beyond
    latent_dim = codes.shape[1]
    factors, codes = _standardised(factors), _standardised(codes)
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
        mean_correlation=float(absolute[linear_sum_assignment(absolute, maximize=True)].sum() / len(absolute)),
        **of_code,
    )


def _standardised(values: np.ndarray) -> np.ndarray:
    """The columns that vary, each with mean 0 and variance 1."""
    values = values[:, (values != values[0]).any(axis=0)]
    # By a power of two, which rounds nothing, so that no square over- or underflows.
    values = np.ldexp(values, -np.frexp(np.abs(values).max(axis=0))[1])
    values = values - values[0]  # exact where the column lies far from zero, unlike the mean
    values = values - values.mean(axis=0)
    return values / values.std(axis=0)


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
