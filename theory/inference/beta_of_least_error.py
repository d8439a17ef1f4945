"""The curve of inference errors against beta, and the beta at which each error is least.

The errors depend on beta only through the water level t = beta s2 (`errors_along_beta`); which beta belongs to a water
level depends on the decoder's noise (`decoder_noise`): t / s2 for a fixed noise, another function for a learned one.
With the truth's decoder and noise and independent factors (Gamma = I):

    mean squared error, reverse KL   least at beta = 1, uniquely unless the loading is zero
    forward KL, log score            best (least, and largest) at some finite beta >= 1, which is 1 if and only if the
                                     columns of the loading are orthogonal (across groups, for a block posterior)

so that beta > 1 helps exactly because the posterior does not factorise. For correlated factors or a decoder other than
the truth's these statements fail, and the optimum is computed all the same. Exact; in the setting of Sikka et al. 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.inference.criteria import CRITERIA
from theory.inference.decoder_noise import FixedNoise, decoder_noise
from theory.inference.error import InferenceError
from theory.inference.errors_along_beta import ErrorPath, error_path
from theory.inference.factored_decoder import FactoredDecoder
from theory.minimise import log_slope, minima
from theory.model import GenerativeModel
from theory.partition import Posterior

__all__ = ["OptimalBeta", "inference_error_curve", "optimal_beta"]

GRID_POINTS_PER_DECADE = 16
GRID_MARGIN = 1e10  # minima are searched within this factor of the problem's own scales
GRID_LIMIT = 1e250  # levels beyond it, or below its inverse, are not searched: their products overflow


@dataclass(frozen=True)
class OptimalBeta:
    """The beta at which an inference error is least.

    Attributes
    ----------
    beta : float
        0 or infinity if the error is least in the limit of a zero or infinite water level (with a learned noise and no
        data outside the decoder's span, every beta below a positive one has level zero). If the criterion is flat every
        beta is as good, and this is 0 if the water level is zero or the error infinite for all of them, else 1.
    error : float
        the criterion at this beta (for "log_score" its largest value).
    flat : bool
        whether the criterion does not depend on beta at all.
    attained : bool
        whether an encoder of a positive, finite water level has this error. If not, `beta` is 0 or infinity and `error`
        a limit: every positive, finite level is worse (or, if flat, no level is positive, or every error is infinite).

    Examples
    --------
    >>> from theory import GenerativeModel, optimal_beta
    >>> best = optimal_beta(GenerativeModel([[1.0, 0.0], [0.0, 0.4]], 0.05))
    >>> round(best.beta, 6), best.flat, best.attained
    (1.0, False, True)
    """

    beta: float
    error: float
    flat: bool
    attained: bool


def inference_error_curve(
    truth: GenerativeModel,
    betas,
    *,
    decoder: np.ndarray | None = None,
    noise_variance: float | str = "true",
    posterior: Posterior = "diagonal",
) -> InferenceError:
    """The four inference errors of the optimal encoder at each beta, from one factorisation.

    Parameters
    ----------
    truth : GenerativeModel
    betas : array of floats > 0, any shape
    decoder : (D, K) array, optional
        the truth's loading by default.
    noise_variance : float > 0, "true" or "learned"
        the decoder's noise: a number, the truth's (default), or the one that minimises the objective at each beta.
    posterior : "diagonal", "full", or a list of groups of latents

    Returns
    -------
    InferenceError
        of arrays, shaped as `betas`.

    Raises
    ------
    ValueError
        for a beta that is not positive, a decoder of another shape, an unknown family or noise.

    Examples
    --------
    >>> from theory import GenerativeModel, inference_error_curve
    >>> truth = GenerativeModel([[1.0, 0.9], [0.0, 0.4]], 0.05)
    >>> inference_error_curve(truth, betas=[1.0, 2.0, 4.0]).log_score.round(3)
    array([-2.911, -1.858, -1.765])
    """
    validation.instance("truth", truth, GenerativeModel)
    betas = validation.scales("betas", betas)
    factored = FactoredDecoder.of(truth, decoder, posterior)
    noise = decoder_noise(truth, factored, noise_variance)
    errors = error_path(truth, factored).evaluate(noise.water_levels(betas))
    if any(np.isnan(values).any() for values in vars(errors).values()):
        raise ValueError(
            "truth, decoder, noise_variance and betas must not differ so much in size that errors overflow; "
            "change the units of data or factors"
        )
    return errors.without_negative_divergences()


def optimal_beta(
    truth: GenerativeModel,
    criterion: str = "forward_kl",
    *,
    decoder: np.ndarray | None = None,
    noise_variance: float | str = "true",
    posterior: Posterior = "diagonal",
) -> OptimalBeta:
    """The beta that globally minimises an inference error (maximises the log score).

    Relative error 1e-10 if the signal is of the size of the noise; if it is weaker by a ratio below 1e-6, or if factors
    or modes differ more, machine precision over that ratio.

    Parameters
    ----------
    truth : GenerativeModel
    criterion : "mean_squared_error", "forward_kl", "reverse_kl" or "log_score"
    decoder, noise_variance, posterior
        as in `inference_error_curve`.

    Returns
    -------
    OptimalBeta

    Raises
    ------
    ValueError
        for an unknown criterion, a decoder of another shape, an unknown family or noise.

    Notes
    -----
    Every stationary point within ten decades of the problem's scales is bracketed and refined as a root of the exact
    slope; the best of them and of the limits 0 and infinity is returned. A limit counts if the error still falls
    towards it and stays finite. Forward KL and log score differ by a constant, so their optima agree, even if the true
    posterior is singular and the divergence infinite for every beta. With the truth's decoder and noise and independent
    factors the optimum is 1 for squared error and reverse KL and at least 1 for the other two; with any other decoder,
    noise or factors it may be anywhere, 0 and infinity included.

    Examples
    --------
    >>> from theory import GenerativeModel, optimal_beta
    >>> truth = GenerativeModel([[1.0, 0.9], [0.0, 0.4]], 0.05)
    >>> round(optimal_beta(truth).beta, 3), round(optimal_beta(truth, "mean_squared_error").beta, 3)
    (3.221, 1.0)
    """
    validation.instance("truth", truth, GenerativeModel)
    validation.choice("criterion", criterion, CRITERIA)
    factored = FactoredDecoder.of(truth, decoder, posterior)
    noise, path = decoder_noise(truth, factored, noise_variance), error_path(truth, factored)

    def result(beta: float, level: float, flat: bool) -> OptimalBeta:
        error = float(getattr(path.evaluate(np.array([level])).without_negative_divergences(), criterion)[0])
        if np.isnan(error):
            raise ValueError(
                "truth, decoder and noise_variance must not differ so much in size that errors overflow; "
                "change the units of data or factors"
            )
        attained = 0 < level < np.inf
        return OptimalBeta(beta if attained else level, error, flat, attained)

    if noise == FixedNoise(0.0) or (criterion == "reverse_kl" and path.exact_precision_root is None):
        return result(0.0, 0.0, flat=True)
    if _is_flat(path, criterion):
        return result(1.0, 1.0, flat=True)
    cost, grid = _cost(path, criterion), _grid(path, truth)
    slopes, limits = _slopes_and_limits(cost, grid)
    if np.isposinf(cost(limits)).any():  # it falls towards a limit where it is infinite: the minimum is beyond the grid
        grid = _levels(1 / GRID_LIMIT, GRID_LIMIT)
        slopes, limits = _slopes_and_limits(cost, grid)
    betas, levels = (np.concatenate([finite, limits]) for finite in noise.attained(minima(cost, grid, slopes)))
    costs = cost(levels)
    best = np.argmin(np.where(np.isnan(costs), np.inf, costs))
    return result(float(betas[best]), float(levels[best]), flat=False)


def _cost(path: ErrorPath, criterion: str):
    """The criterion as a cost; for the forward KL the negative log score, of the same minimiser and finite."""
    name = "log_score" if criterion == "forward_kl" else criterion
    if name == "log_score":
        return lambda levels: -path.evaluate(levels).log_score
    return lambda levels: getattr(path.evaluate(levels), name)


def _slopes_and_limits(cost, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slope at each level, and those of the limits 0 and infinity towards which the cost still falls.

    No other limit can be the best: some minimum is at least as good.
    """
    slopes = log_slope(cost, grid)
    tails = slopes[(slopes != 0) & np.isfinite(slopes)]
    limits = [0.0] * bool(tails.size and tails[0] > 0) + [np.inf] * bool(tails.size and tails[-1] < 0)
    return slopes, np.array(limits)


def _levels(low: float, high: float) -> np.ndarray:
    return np.geomspace(low, high, int(GRID_POINTS_PER_DECADE * (np.log10(high) - np.log10(low))))


def _grid(path: ErrorPath, truth: GenerativeModel) -> np.ndarray:
    """Water levels, evenly spaced in the logarithm, well beyond every scale on which any of the errors can vary.

    The scales are the levels at which a mode or a factor stops being coded (g_k, G_ii), the strengths of the truth and
    its noise, and the levels at which a single term of an error is least: for mode k of the squared error

        t = (m_k . c_k + g_k tau2) / (b_k . c_k),   b, m, c the rows of `shrunk`, `mismatched`, `seen`,

    for factor i of the log score t = G_ii E_ii, of the reverse KL t = G_ii / (Sigma^-1)_ii, Sigma the covariance of the
    true posterior. Across terms the weights of the reverse KL, Sigma^-1, can shift a minimum by as much as they differ.
    """
    strengths = np.linalg.svd(truth.loading @ truth.factor_root, compute_uv=False) ** 2
    falls = np.sum(path.shrunk * path.seen, axis=1)
    rises = np.sum(path.mismatched * path.seen, axis=1) + path.modes * path.noise_variance
    balanced = np.divide(rises, falls, out=np.zeros(len(falls)), where=(rises > 0) & (falls > 0))
    gains = np.divide(1, path.modes, out=np.zeros(len(path.modes)), where=path.modes > 0)
    at_zero = path.axes**2 @ (gains**2 * (np.sum(path.mismatched**2, axis=1) + path.noise_variance * path.modes))
    at_infinity = path.axes**2 @ np.sum(path.shrunk**2, axis=1)
    scales = [path.modes, path.diagonal, strengths, [path.noise_variance], balanced]
    scales += [path.diagonal * at_zero, path.diagonal * at_infinity]
    spread = 1.0
    if (root := path.exact_precision_root) is not None:
        scales.append(path.diagonal / np.sum(root**2, axis=0))
        weights = np.linalg.svd(root, compute_uv=False) ** 2
        with np.errstate(over="ignore", divide="ignore"):
            spread = weights[0] / weights[-1]
    scales = np.concatenate(scales)
    scales = scales[(scales > 0) & np.isfinite(scales)]
    with np.errstate(over="ignore"):  # infinite products are cut at the limit of the grid
        low = max(scales.min() / GRID_MARGIN / spread, 1 / GRID_LIMIT)
        high = min(scales.max() * GRID_MARGIN * spread, GRID_LIMIT)
    return _levels(low, high)


def _is_flat(path: ErrorPath, criterion: str) -> bool:
    """Whether the criterion is independent of the water level: for a decoder of zeros, or one blind to the factors.

    A non-zero decoder makes the posterior variances, and so every divergence and score, depend on the level. The
    posterior mean, and the squared error, do not if W^T A Gamma^(1/2) = 0 and there is no noise.
    """
    if not path.modes.any():
        return True
    return criterion == "mean_squared_error" and path.noise_variance == 0 and not np.any(path.seen)
