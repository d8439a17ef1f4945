"""An audit of any trained VAE with a diagonal Gaussian posterior: from its codes alone, or beside its data and factors.

**From the codes** (posterior mean mu_j(x) and variance v_j(x) of each latent at N observations):

    KL of a latent       mean over x of (mu_j^2 + v_j - 1 - log v_j) / 2; their sum is the rate
    active unit          variance of mu_j over x above .01
    attenuation          correlation of the mean code mu_j with the sampled code z_j ~ N(mu_j, v_j),

                             M_j = sqrt( var mu_j / (var mu_j + E v_j) ),

                         exact for any encoder, as the noise of z_j has no correlation with mu_j. A passive latent has
                         M_j = 0: its mean code is constant and its sampled code is noise, the difference by which
                         FONDUE finds them. At the linear optimum M_j = sqrt(1 - t/l_j) = sqrt(E mu_j^2).
    collapsed            at an x where its KL is below .01 nats. A latent is passive if it has collapsed at 95 % of the
                         observations or more, active if at 5 % or fewer, mixed between; constant if its posterior is
                         the same at all x and not the prior: it costs KL and carries nothing
    polarized regime     the rate without the passive latents and without the v_j of the others, and its error
    parts of the rate    mutual information, total correlation, dimension-wise KL, with the bias of the usual estimate
                         and bounds: `numerics.sampling.rate_parts`

**With the decoder** (its weights if it is linear, else Jacobians at some codes): the distance to orthogonality on the
active latents (`theory.axes.distance_to_orthogonality`).

**With factors**: disentanglement scores of mean and of sampled codes (`numerics.sampling.scores`).

**With data and the water level** t of the loss (`theory.convention`): the best linear VAE with as many latents on the
same data at the same water level. Its rate, distortion and active latents are exact (`theory.optimum`). With

    loss / (weight of its KL) = distortion / (2 t) + rate + constant, in nats,

the difference between both VAEs is what the network lost or won. A linear VAE uses the covariance of the data only, so
that a network can win; one that loses has not been trained to the end, or cannot represent a linear map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from numerics.diagnosis.codes import Codes
from numerics.diagnosis.latent_use import LatentUse, latent_use, polarized_rate
from numerics.diagnosis.linear_reference import LinearReference, linear_reference, standard_error
from numerics.sampling.rate_parts import RatePart, rate_parts
from theory import validation
from theory.axes.orthogonality import distances_to_orthogonality, orthogonality_chance_level
from theory.axes.polarized import PolarizedKL
from theory.scores.disentanglement import Scores

__all__ = ["Audit", "DecoderOrthogonality", "audit"]

CHANCE_DRAWS = 4000  # over the number of latents: random decoders, whose distances vary the less the more latents


@dataclass(frozen=True)
class DecoderOrthogonality:
    """Distance to orthogonality of a decoder on the active latents: mean over Jacobians, and the chance level.

    Examples
    --------
    >>> from numerics import Codes, audit
    >>> codes = Codes([[2.0, 0.5], [-2.0, 1.0]], [[0.1, 0.1], [0.1, 0.1]])
    >>> found = audit(codes, decoder=[[2.0, 0.5], [0.0, 1.0]]).orthogonality
    >>> round(found.distance, 3), round(found.chance, 3)
    (0.443, 0.548)
    """

    distance: float
    chance: float


@dataclass(frozen=True, eq=False)
class Audit:
    """What `audit` finds; all rates in nats.

    Attributes
    ----------
    count, latent_dim : int, N and K
    rate, rate_standard_error : float
    active_count : int
    latents : LatentUse
    polarized : theory.axes.PolarizedKL
    mutual_information, total_correlation, dimension_wise_kl : RatePart
    distortion : float or None, the squared error of the reconstructions
    orthogonality : DecoderOrthogonality or None
    scores : dict from "mean" and "sampled" codes to `theory.scores.Scores`, or None
    linear_optimum : LinearReference or None

    Examples
    --------
    >>> from numerics import Codes, audit
    >>> found = audit(Codes([[2.0, 0.0], [-2.0, 0.0]], [[0.1, 1.0], [0.1, 1.0]]))
    >>> round(found.rate, 3), found.active_count, found.linear_optimum
    (2.701, 1, None)
    """

    count: int
    latent_dim: int
    rate: float
    rate_standard_error: float
    active_count: int
    latents: LatentUse
    polarized: PolarizedKL
    mutual_information: RatePart
    total_correlation: RatePart
    dimension_wise_kl: RatePart
    distortion: float | None
    orthogonality: DecoderOrthogonality | None
    scores: Mapping[str, Scores] | None
    linear_optimum: LinearReference | None


def audit(
    codes: Codes,
    *,
    data=None,
    factors=None,
    decoder=None,
    water_level: float | None = None,
    threshold: float = 0.01,
    rng: np.random.Generator | int = 0,
) -> Audit:
    """Audit a trained VAE by its codes; the module has the formulas.

    Parameters
    ----------
    codes : Codes
    data : (N, D) array, optional
        the observations that were encoded, in the units in which the loss took them; with `water_level` for the linear
        optimum, and for the distortion of `codes.reconstruction`.
    factors : (N, F) array, optional
        for the disentanglement scores.
    decoder : (D, K) array, or (M, D, K), optional
        weights of a linear decoder, or its Jacobians at M codes.
    water_level : float > 0, optional, t
        of the loss, `theory.convention(...).water_level`, that is beta times the noise variance. Needs `data`.
    threshold : float >= 0
        of the variance of the mean of an active latent.
    rng : numpy.random.Generator, or a seed
        of the sampled codes and of the chance level of the distance.

    Returns
    -------
    Audit
        what needs an argument that is not given is None.

    Raises
    ------
    ValueError
        for numbers of rows that differ, shapes that do not fit, NaN, or a `water_level` without `data`.

    Notes
    -----
    KL, attenuation, rate and the linear optimum are exact for the N observations; scores and parts of the rate are
    estimates. The linear optimum is the best on these very observations: for codes of a test set it knows that set.

    Examples
    --------
    >>> import numpy as np
    >>> from numerics import Codes, audit
    >>> from theory import Moments, optimum
    >>> data = np.random.default_rng(0).standard_normal((500, 3)) * [2.0, 1.0, 0.5]
    >>> vae = optimum(Moments.of(data), 2, noise_variance=0.5).vae
    >>> codes = Codes((data - vae.mean) @ vae.encoder.T, np.tile(np.diag(vae.posterior_covariance), (500, 1)))
    >>> found = audit(codes, data=data, water_level=0.5)
    >>> found.active_count, round(found.rate, 2), round(found.linear_optimum.rate, 2)
    (2, 1.32, 1.32)
    """
    codes = validation.instance("codes", codes, Codes, "pass Codes(mean, log_variance=...)")
    threshold = validation.non_negative("threshold", threshold)
    rng = validation.random_generator("rng", rng)
    data = None if data is None else _rows("data", data, codes)
    factors = None if factors is None else _rows("factors", factors, codes)
    decoder = None if decoder is None else _jacobians(decoder, codes, data)
    error = _squared_error(codes, data)
    kl = codes.kl
    of_observation = kl.sum(axis=1)
    latents = latent_use(codes, kl, threshold)
    parts = rate_parts(codes.mean, codes.variance, of_observation, rng)
    return Audit(
        count=len(codes),
        latent_dim=codes.latent_dim,
        rate=float(of_observation.mean()),
        rate_standard_error=standard_error(of_observation),
        active_count=int(np.count_nonzero(latents.active)),
        latents=latents,
        polarized=polarized_rate(codes, latents),
        mutual_information=parts.mutual_information,
        total_correlation=parts.total_correlation,
        dimension_wise_kl=parts.dimension_wise_kl,
        distortion=None if error is None else float(error.mean()),
        orthogonality=None if decoder is None else _orthogonality(decoder, latents.active, rng),
        scores=None if factors is None else _scores(codes, factors, rng),
        linear_optimum=None
        if water_level is None
        else linear_reference(water_level, data, of_observation, error, codes.latent_dim),
    )


def _rows(name: str, value, codes: Codes) -> np.ndarray:
    """Observations, one for each of the codes."""
    array = validation.observations(name, value)
    if len(array) != len(codes):
        raise ValueError(
            f"{name} must have one row for each of the {len(codes)} codes, got {len(array)}; pass the rows that were "
            "encoded, in their order"
        )
    return array


def _jacobians(decoder, codes: Codes, data: np.ndarray | None) -> np.ndarray:
    """A decoder as a stack (M, D, K)."""
    array = validation.real_array("decoder", decoder)
    stack = array if array.ndim == 3 else validation.matrix("decoder", array)[np.newaxis]
    if not (stack.size and np.isfinite(stack).all()):
        raise ValueError(f"decoder must be finite and not empty, got shape {array.shape}; remove NaN and infinite ones")
    data_dim = stack.shape[1] if data is None else data.shape[1]
    if stack.shape[1:] != (data_dim, codes.latent_dim):
        got = " x ".join(map(str, array.shape))
        raise ValueError(
            f"decoder must be {data_dim} x {codes.latent_dim} (data dimensions x latents), or a stack of such "
            f"Jacobians, got {got}; transpose it, or pass that of the same VAE as codes"
        )
    return stack


def _squared_error(codes: Codes, data: np.ndarray | None) -> np.ndarray | None:
    """|x - reconstruction|^2 of each observation, if it is known."""
    if codes.reconstruction is None:
        return codes.squared_error
    if data is None:
        return None
    if codes.reconstruction.shape != data.shape:
        raise ValueError(
            f"data must have the {codes.reconstruction.shape[1]} columns of reconstruction, got {data.shape[1]}; "
            "flatten both in the same way"
        )
    validation.within_decades("data", data, validation.AMPLITUDE_DECADES, tiny=True)
    return np.sum((data - codes.reconstruction) ** 2, axis=1)


def _orthogonality(decoder: np.ndarray, active: np.ndarray, rng: np.random.Generator) -> DecoderOrthogonality:
    count, distance = int(np.count_nonzero(active)), 0.0  # of one latent or none
    if count > 1:
        distance = float(distances_to_orthogonality(decoder[:, :, active], tie=validation.ROUNDING).mean())
    draws = max(20, CHANCE_DRAWS // max(count, 1))
    return DecoderOrthogonality(distance, orthogonality_chance_level(count, samples=draws, rng=rng).mean)


def _scores(codes: Codes, factors: np.ndarray, rng: np.random.Generator) -> dict[str, Scores]:
    from numerics.sampling.scores import sample_scores

    return {"mean": sample_scores(factors, codes.mean), "sampled": sample_scores(factors, codes.sample(rng))}
