"""Disentanglement scores of draws, by scikit-learn's tools: the experiment beside `theory.metrics`."""

from __future__ import annotations

import numpy as np

from theory import validation
from theory.metrics import Scores

__all__ = ["sample_scores"]


def sample_scores(factors, codes, *, bins: int = 20, half_width: float = 4.0) -> Scores:
    """Every score of `theory.metrics` of a sample: binned information, linear regression, assignment of correlations.

    Nothing of the theory enters: information is counted in bins of equal width (`KBinsDiscretizer`,
    `mutual_info_score`), importances and R^2 come from `LinearRegression`, the sparsity from each code. Only the
    continuous information and the total correlation are Gaussian, by the sample correlations.

    Parameters
    ----------
    factors : (n, K) array
    codes : (n, L) array
        of any distribution; every column must vary.
    bins : int >= 2
    half_width : float > 0
        the bins cover this many standard deviations on either side of the mean, the outer ones take in the rest.

    Returns
    -------
    Scores
        biased upward by up to (bins - 1)^2 / (2 n) nats of information over the entropy in `mutual_information_gap`.

    Raises
    ------
    ValueError
        if the two do not have the same number of rows, or a column is constant.
    """
    from scipy.optimize import linear_sum_assignment
    from sklearn.linear_model import LinearRegression

    factors = _standardised("factors", factors)
    codes = _standardised("codes", codes)
    if len(factors) != len(codes):
        raise ValueError(f"codes must have one row per row of factors, got {len(codes)} for {len(factors)}")
    information, entropies = _binned_information(factors, codes, bins, half_width)
    correlations = factors.T @ codes / len(factors)
    absolute = np.abs(correlations)
    first, second = _largest_two(-np.log1p(-np.minimum(correlations**2, 1 - 1e-15)) / 2)
    fit = LinearRegression().fit(codes, factors)
    weights = np.abs(fit.coef_)
    lengths, latent_dim = np.linalg.norm(codes, axis=1), codes.shape[1]
    root = np.sqrt(latent_dim)
    sparsity = np.mean((root - np.abs(codes).sum(axis=1) / lengths) / (root - 1)) if latent_dim > 1 else np.nan
    return Scores(
        mutual_information_gap=float(np.mean(-np.diff(_largest_two(information), axis=0)[0] / entropies)),
        continuous_gap=float(np.mean(1 - second / first)),
        sap=float(np.mean(-np.diff(_largest_two(correlations**2), axis=0))),
        disentanglement=_concentration(weights.T),
        completeness=_concentration(weights),
        informativeness=float(fit.score(codes, factors)),
        mean_correlation=float(absolute[linear_sum_assignment(absolute, maximize=True)].sum() / len(absolute)),
        total_correlation=float(-np.linalg.slogdet(codes.T @ codes / len(codes))[1] / 2),
        hoyer_sparsity=float(sparsity),
    )


def _standardised(name: str, values) -> np.ndarray:
    values = validation.matrix(name, values)
    if not len(values) or np.any(np.ptp(values, axis=0) == 0):
        raise ValueError(f"{name} must vary in every column; leave constant columns out")
    return (values - values.mean(axis=0)) / values.std(axis=0)


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
    if weights.shape[1] == 1:
        return 1.0
    return float(np.average(1 - entropy(weights[sums > 0], base=weights.shape[1], axis=1), weights=sums[sums > 0]))
