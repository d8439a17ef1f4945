"""Gradient training with a prior that is not N(0, I), and with a penalty on the aggregate code.

    loss = distortion / (2 s2) + (D/2) log(2 pi s2) + beta E KL(q(z|x) || p) + alpha KL(p || q(z))

with s2 the noise variance and D the data dimension. Data x = A s + n, n ~ N(0, tau2 I), with factors s that are
Gaussian or a finite mixture of Gaussians. The expectations are those of `theory.priors` and sums over nodes, see
`numerics.priors.mixture_code`. Decoder, encoder and a Cholesky factor of Q start at random and follow the exact
gradient (L-BFGS); no closed form of an optimum is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.optimize import minimize

from numerics.priors.mixture_code import FINER, NODES, code_entropy, divergence, log_prior_and_slopes
from numerics.priors.problem import PLANE_ERROR, PriorProblem, distortion_of, overflow_error, prior_problem
from numerics.training.stop import Stop
from numerics.training.threads import BLAS
from theory import validation
from theory.model import LinearVAE
from theory.partition import Posterior
from theory.priors import Prior
from theory.priors.arguments import LONGEST

__all__ = ["PriorRun", "reached", "train_problem", "train_with_prior"]

OUT_OF_STEPS = 1  # status of a result of scipy's L-BFGS-B: a limit ended it, of steps or of evaluations


@dataclass(frozen=True, eq=False)
class ByNodes:
    """What is computed by sums over nodes in the plane of two latents, when it is first asked for.

    Attributes
    ----------
    problem : PriorProblem
    code : weights, means and covariances of the components of q(z)
    conditional : float
        H[q(z|x)], in nats.
    """

    problem: PriorProblem
    code: tuple[np.ndarray, np.ndarray, np.ndarray]
    conditional: float

    @cached_property
    def divergence(self) -> float:
        plane = self.problem.planes.coarse
        if plane is None or plane.moment_error == np.inf:
            return np.nan if plane is None else np.inf
        return _resolved(*(divergence(one, self.code) for one in (plane, *self.problem.planes.finer)))

    @cached_property
    def mutual_information(self) -> float:
        if self.problem.shape[1] != 2:
            return np.nan
        return _resolved(*(code_entropy(self.code, nodes) - self.conditional for nodes in (NODES, *FINER)))


@dataclass(frozen=True, eq=False)
class PriorRun:
    """What one training run reached.

    Attributes
    ----------
    vae : LinearVAE
    loss : float
    distortion, reconstruction, rate : float
        E ||x - W z||^2; -E log p(x|z); E KL(q(z|x) || p). Nats, the first in squared units of the data.
    gradient_norm : float
        largest entry of the gradient, in nats, for parameters in units of the data and the prior.
    stopped : Stop
        "gradient"; or, where the gradient did not fall to the tolerance, "max_steps" if these ended the descent and
        "stalled" if rounding did; or "unresolved" if alpha > 0 and the nodes do not resolve the divergence in the loss.
    by_nodes : ByNodes
        of which the two properties are taken.
    """

    vae: LinearVAE
    loss: float
    distortion: float
    reconstruction: float
    rate: float
    gradient_norm: float
    stopped: Stop
    by_nodes: ByNodes = field(repr=False)

    @property
    def divergence(self) -> float:
        """KL(p || q(z)), >= 0, infinite if the prior has no variance.

        NaN if there are not two latents, if the prior has no method `nodes`, or if the nodes do not resolve it to 1e-5
        nats (of its size, where that is above one).
        """
        return self.by_nodes.divergence

    @property
    def mutual_information(self) -> float:
        """I(x; z) = H[q(z)] - H[q(z|x)], >= 0: the smaller, the more the encodings overlap.

        NaN if there are not two latents, or if the nodes do not resolve it.
        """
        return self.by_nodes.mutual_information


def train_with_prior(
    factors: Prior,
    loading,
    data_noise: float,
    prior: Prior,
    *,
    beta: float,
    noise_variance: float,
    alpha: float = 0.0,
    posterior: Posterior = "full",
    decoder: np.ndarray | None = None,
    start: LinearVAE | None = None,
    gradient_tolerance: float = 1e-6,
    max_steps: int = 2000,
    rng: np.random.Generator | int | None = None,
) -> PriorRun:
    """Train a linear VAE, from a random start or another, by descending the gradient of the loss above.

    Parameters
    ----------
    factors : Prior with the method `components`
        the distribution of s, Gaussian or a finite mixture of Gaussians; mean zero.
    loading : (D, factors) array, A
    data_noise : float >= 0, tau2
    prior : Prior
        of any family in `theory.priors`, or a user's own, of K latents.
    beta, noise_variance : float from 1e-100 to 1e100
    alpha : float >= 0
        if not zero, needs K = 2 and a prior with a variance and the method `nodes`.
    posterior : "full", "diagonal", or a list of groups of latents
    decoder : (D, K) array, optional
        a fixed decoder; learned by default.
    start : LinearVAE, optional
        where to start, for a path of solutions; of the family `posterior`.
    gradient_tolerance : float > 0
        stop when no entry of the gradient is larger.
    max_steps : int >= 0
    rng : numpy.random.Generator or seed, optional
        source of a random start; `None` means seed 0.

    Returns
    -------
    PriorRun

    Raises
    ------
    ValueError
        for arguments that do not fit.
    """
    problem = prior_problem(factors, loading, data_noise, prior, beta, noise_variance, alpha, posterior, decoder)
    return train_problem(
        problem, posterior, start=start, gradient_tolerance=gradient_tolerance, max_steps=max_steps, rng=rng
    )


def train_problem(
    problem: PriorProblem, posterior: Posterior, *, start=None, gradient_tolerance=1e-6, max_steps=2000, rng=None
) -> PriorRun:
    """The run of `train_with_prior`, whose arguments these are, on a problem of the family `posterior`."""
    rng = validation.random_generator("rng", 0 if rng is None else rng)
    tolerance = validation.positive("gradient_tolerance", gradient_tolerance)
    max_steps = validation.count("max_steps", max_steps, maximum=2**29)
    options = {"maxiter": max_steps, "maxfun": 2 * max_steps, "gtol": tolerance, "ftol": 0.0, "maxcor": 30}
    first = problem.start(rng) if start is None else _checked_start(start, problem, posterior)
    # Overflow is detected at the end, by its value.
    with np.errstate(over="ignore", invalid="ignore"), BLAS.limit(limits=1, user_api="blas"):
        if not max_steps:  # scipy would make one step
            return reached(problem, first, tolerance, out_of_steps=True)
        minimum = minimize(
            problem.value_and_gradient, first, jac=True, method="L-BFGS-B", options=options, bounds=problem.bounds
        )
        return reached(problem, minimum.x, tolerance, out_of_steps=minimum.status == OUT_OF_STEPS)


def reached(problem: PriorProblem, theta: np.ndarray, tolerance: float, *, out_of_steps: bool = False) -> PriorRun:
    """The model of some parameters, with its parts; what the nodes do not resolve is NaN."""
    decoder, encoder, factor = problem.unpack(theta)
    if not all(np.all(np.abs(part) <= LONGEST) for part in (decoder, encoder)):
        raise overflow_error()
    value, gradient = problem.value_and_gradient(theta)
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        raise overflow_error()
    code = problem.code(encoder, factor)
    total = encoder @ problem.covariance @ encoder.T + factor @ factor.T
    distortion = distortion_of(problem.covariance, decoder, encoder @ problem.covariance, total)
    conditional = np.log(np.diagonal(factor)).sum() + problem.shape[1] / 2 * np.log(2 * np.pi * np.e)
    norm, by_nodes = float(np.abs(gradient).max(initial=0.0)), ByNodes(problem, code, float(conditional))
    unresolved = bool(problem.alpha) and np.isnan(by_nodes.divergence)
    return PriorRun(
        vae=LinearVAE(decoder, encoder, factor @ factor.T, problem.noise_variance),
        loss=value,
        distortion=float(distortion),
        reconstruction=float(distortion / (2 * problem.noise_variance) + problem.constant),
        rate=max(0.0, float(-log_prior_and_slopes(problem.prior, code)[0] - conditional)),
        gradient_norm=norm,
        stopped=_stop_reason(unresolved, norm <= tolerance, out_of_steps),
        by_nodes=by_nodes,
    )


def _stop_reason(unresolved: bool, converged: bool, out_of_steps: bool) -> Stop:
    if unresolved:
        return Stop.UNRESOLVED
    if converged:
        return Stop.GRADIENT
    return Stop.MAX_STEPS if out_of_steps else Stop.STALLED


def _checked_start(start, problem: PriorProblem, posterior: Posterior) -> np.ndarray:
    """The parameters of a VAE to start from."""
    start = validation.instance("start", start, LinearVAE)
    if start.decoder.shape != problem.shape:
        wanted, got = (" x ".join(map(str, shape)) for shape in (problem.shape, start.decoder.shape))
        raise ValueError(f"start must have a {wanted} decoder, got {got}; pass a VAE of these data and this prior")
    if not start.belongs_to(posterior):
        raise ValueError("start must have a posterior covariance of the family `posterior`; pass such a VAE")
    first = problem.pack(start)
    if not all(low <= value <= high for value, (low, high) in zip(first, problem.bounds, strict=True)):
        raise ValueError("start must be of the size of data and prior; pass a VAE in their units")
    return first


def _resolved(coarse: float, *finer: float) -> float:
    """A divergence from several sets of nodes: the first, never negative, or NaN where they disagree.

    A tenth of the error that is allowed, because differences of sums that do not converge are small by chance.
    """
    allowed = PLANE_ERROR / 10 * max(1.0, abs(finer[-1]))
    close = coarse > -PLANE_ERROR and all(abs(coarse - fine) <= allowed for fine in finer)
    return max(0.0, float(coarse)) if close else np.nan
