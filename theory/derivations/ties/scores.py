"""What the functions of `theory.scores` compute, on the page on Gaussian scores."""

from __future__ import annotations

import numpy as np

from theory import gaussian
from theory.derivations.engine.tie import Tie
from theory.scores import GaussianCode

__all__ = ["TIES", "UNTIED"]


def _code(correlations: np.ndarray, factors: int, rng) -> GaussianCode:
    """Factors, and then codes, of these correlations, with standard deviations that are not 1."""
    deviations = rng.uniform(0.3, 4.0, len(correlations))
    joint = correlations * np.outer(deviations, deviations)
    return GaussianCode(joint[:factors, :factors], joint[factors:, factors:], joint[:factors, factors:])


def _correlations(rng, size: int) -> np.ndarray:
    return np.corrcoef(rng.standard_normal((size, 2 * size)))


def _information_of_each(mutual_information_matrix, formula):
    """Also of a factor without correlations, and of strong ones."""
    rng = np.random.default_rng(1)
    for factors, codes in ((3, 2), (2, 4), (3, 3)):
        correlations = _correlations(rng, factors + codes)
        if factors == codes:
            correlations[0, 1:] = correlations[1:, 0] = 0.0
        yield mutual_information_matrix(_code(correlations, factors, rng)), formula(r=correlations[:factors, factors:])
    for r in (0.9999, -0.95, 1e-3):
        yield mutual_information_matrix(_code(np.array([[1.0, r], [r, 1.0]]), 1, rng)), formula(r=np.array([[r]]))


def _dependence_of_pairs(scores, formula):
    """Codes that depend on each other in pairs: the total correlation is the sum of what each pair shares."""
    rng = np.random.default_rng(2)
    for pairs in ([0.6], [-0.8, 0.3], [0.5, 0.0, -0.95]):
        correlations = np.eye(1 + 2 * len(pairs))
        for pair, r in enumerate(pairs):
            first, second = 1 + pair, 1 + len(pairs) + pair
            correlations[first, second] = correlations[second, first] = r
        correlations[0, 1] = correlations[1, 0] = 0.4
        yield scores(_code(correlations, 1, rng)).total_correlation, formula(r=np.array(pairs)).sum()


def _gap_of_one_factor(scores, formula):
    """With 1 taken off, the share of its second best code in the information of the best."""
    rng = np.random.default_rng(3)
    for best, second, third in ((0.8, -0.4, 0.1), (-0.6, 0.55, 0.0), (0.5, 0.0, 0.0)):
        correlations = np.eye(4)
        correlations[0, 1:] = correlations[1:, 0] = second, third, best
        gap = scores(_code(correlations, 1, rng)).continuous_gap
        yield (1 - gap) * formula(r=best), formula(r=second)


def _explained_share(scores, formula):
    """The best linear reading of all codes has it as squared correlation, and all their information on the factor."""
    rng = np.random.default_rng(5)
    for codes in (1, 2, 4):
        correlations = _correlations(rng, 1 + codes)
        share = scores(_code(correlations, 1, rng)).informativeness
        yield formula(r=np.sqrt(share)), gaussian.total_correlation(correlations, [[0], range(1, 1 + codes)])


def _correlation_with_the_best_code(scores, formula):
    """Of one factor on which only one code is informed: MCC is its size, never negative, and SAP its square."""
    rng = np.random.default_rng(6)
    for r in (0.3, -0.7, 0.98):
        correlations = np.eye(4)
        correlations[0, 2] = correlations[2, 0] = r
        result = scores(_code(correlations, 1, rng))
        wanted = gaussian.total_correlation(correlations, [[0], [1, 2, 3]])
        yield np.copysign(formula(r=result.mean_correlation), result.mean_correlation), wanted
        yield formula(r=np.sqrt(result.sap)), wanted


def _sparsity_by_chance(hoyer_chance_level, formula):
    for size in (2, 3, 5, 50):
        yield hoyer_chance_level(size), formula(K=size)


def _sparsity_of_independent_codes(scores, formula):
    """Of any variances, and with any factors."""
    rng = np.random.default_rng(4)
    for size in (2, 3, 6):
        correlations = np.eye(size + 1)
        correlations[0, 1:] = correlations[1:, 0] = rng.uniform(-0.4, 0.4, size)
        yield scores(_code(correlations, 1, rng)).hoyer_sparsity, formula(K=size)


SCORES, CHANCE = "theory.scores.scores", "theory.scores.hoyer_chance_level"
INFORMATION = "theory.scores.mutual_information_matrix"

TIES = (
    Tie(INFORMATION, "gaussian-scores", "Mutual information", _information_of_each),
    Tie(SCORES, "gaussian-scores", "Mutual information", _dependence_of_pairs),
    Tie(SCORES, "gaussian-scores", "Mutual information", _gap_of_one_factor),
    Tie(SCORES, "gaussian-scores", "Mutual information", _explained_share),
    Tie(SCORES, "gaussian-scores", "Mutual information", _correlation_with_the_best_code),
    Tie(SCORES, "gaussian-scores", "Chance level of the sparsity", _sparsity_of_independent_codes),
    Tie(CHANCE, "gaussian-scores", "Chance level of the sparsity", _sparsity_by_chance),
)

UNTIED: dict[tuple[str, str], str] = {}
