"""From the parameters of the explorer to the numbers of its panels, all of them computed by `theory`.

Two models share the spectrum l_1 >= l_2 >= ... and the parameters. The panels on latents, rate and rotation are about
the **learned** VAE of data with this spectrum. The other two are about inference of the factors s of a **true model**
x = A s + n by the best encoder of the true decoder A. Its column i has squared norm l_i, each two columns have one
coherence, factors 1 and 2, 3 and 4, ... are correlated, and n has the variance tau2.

A panel that cannot be computed has the reason in its place: a `ValueError` of `theory` says what to change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from figures.explorer.settings import Settings
from theory import GenerativeModel, inference_error_curve, operating_point, optimal_beta, optimum_curve, rate_distortion
from theory.axes import rotation_curvature, two_mode_rotation_energy
from theory.groups import equal_groups, granularity_errors
from theory.learning import capacity_penalty, vae_rate_distortion
from theory.learning.noise_words import noise_words

__all__ = ["BETAS", "CRITERIA", "MOST_FACTORS", "PANELS", "Panel", "panel", "true_model"]

BETAS = (0.01, 100.0)  # of the slider, and of the curves against beta
CRITERIA = {
    "forward_kl": "forward KL",
    "reverse_kl": "reverse KL",
    "log_score": "log score",
    "mean_squared_error": "squared error",
}
MOST_BARS = 64
MOST_FACTORS = 8  # for which the search of the grouped optimum takes a fraction of a second
LOWEST_LEVEL = 1e-3  # of the largest eigenvalue, to which the curves of rate and distortion go at least
SAME = 1e-9  # relative difference of errors that only the search leaves
QUARTER = np.pi / 4  # the angle at which a rotation costs most


@dataclass(frozen=True, eq=False)
class Panel:
    """What a panel shows.

    Attributes
    ----------
    says : str
        its message at these parameters, or why there is none.
    numbers : mapping from names to numbers or texts
    commands : tuple of str
        command lines that give these numbers.
    curves : mapping from names to columns of equal length
    failed : bool
        whether `says` is the reason why there is nothing to show.
    """

    says: str
    numbers: Mapping[str, object] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    curves: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    failed: bool = False


def panel(name: str, settings: Settings) -> Panel:
    """The panel of a name of `PANELS`, or the reason why there is none."""
    try:
        # A number beyond double precision is refused, as by the commands.
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            return PANELS[name](settings)
    except (ValueError, ArithmeticError, RuntimeWarning) as error:
        return Panel(f"Not computed: {error}.", failed=True)


def _latents(settings: Settings) -> Panel:
    """Which latents live: the eigenvalues against the water level."""
    eigenvalues, latent_dim = settings.source.eigenvalues, settings.latent_dim
    curve = optimum_curve(eigenvalues, latent_dim, [settings.beta], noise_variance=settings.decoder_noise)
    noise, count, status = curve.noise_variance[0], int(curve.active_count[0]), str(curve.noise_status[0])
    level = settings.beta * noise
    mode = np.arange(1, min(len(eigenvalues), MOST_BARS) + 1)
    kinds = np.where(mode > latent_dim, "no latent", np.where(mode <= count, "active", "collapsed"))
    critical = ", ".join(f"{beta:.6g}" for beta in curve.critical_betas)
    says = f"{count} of {latent_dim} latents are active: so many of the first {latent_dim} eigenvalues exceed t = βσ²."
    return Panel(
        f"{says}{_words(status)}",
        {
            "beta": settings.beta,
            "noise_variance": float(noise),
            "noise_status": status,
            "water_level": float(level),
            "active_count": count,
            "critical_betas": critical or "none",
            "loss": float(curve.loss[0]),
        },
        (f"python -m theory optimum {settings.source.words} {_options(settings)} --beta {settings.beta:g}",),
        {
            "bars": {"mode": mode, "eigenvalue": eigenvalues[: len(mode)], "kind": kinds},
            "level": {"level": np.array([level] if level > 0 else [])},
        },
    )


def _rate(settings: Settings) -> Panel:
    """Where the optimal VAE is beside Shannon's curve."""
    eigenvalues, latent_dim, source = settings.source.eigenvalues, settings.latent_dim, settings.source
    point = operating_point(eigenvalues, latent_dim, settings.beta, settings.decoder_noise)
    level, status = float(point.water_level), str(point.noise_status)
    command = f"python -m theory rate-distortion {source.words} {_options(settings)} --beta {settings.beta:g}"
    lowest = min(source.largest * LOWEST_LEVEL, level / 2 or np.inf)  # beyond the point that is shown
    levels = np.geomspace(source.largest, lowest, 161)
    total = eigenvalues.sum()
    shannon, vae = rate_distortion(eigenvalues, levels), vae_rate_distortion(eigenvalues, latent_dim, levels)
    curves = {
        "Shannon": {"rate": shannon.rate, "distortion": shannon.distortion / total},
        "VAE": {"rate": vae.rate, "distortion": vae.distortion / total},
    }
    if status == "zero":
        return Panel(f"The rate grows without bound.{_words(status)}", {"noise_status": status}, (command,), curves)
    excess = capacity_penalty(eigenvalues, latent_dim, level)
    missing = int(np.count_nonzero(eigenvalues[latent_dim:] > level))
    says = "The VAE is on Shannon's curve: no code of this rate has a smaller error."
    if missing:
        lack = (
            "1 eigenvalue above the water level has"
            if missing == 1
            else f"{missing} eigenvalues above the water level have"
        )
        says = f"The VAE is above Shannon's curve: {lack} no latent."
    return Panel(
        f"{says}{_words(status)}",
        {
            "rate": float(point.rate),
            "distortion": float(point.distortion),
            "distortion / variance": float(point.distortion / total),
            "excess_rate": float(excess.rate),
            "excess_distortion": float(excess.distortion),
        },
        (
            command,
            f"python -m theory rate-distortion {source.words} --latent-dim {latent_dim} --water-level {level!r}",
        ),
        curves | {"here": {"rate": np.array([point.rate]), "distortion": np.array([point.distortion / total])}},
    )


def _inference(settings: Settings) -> Panel:
    """The inference errors of the true decoder against beta, and the beta at which each is least."""
    truth, noise = true_model(settings), "learned" if settings.learned else "true"
    betas = np.geomspace(*BETAS, 161)
    curve = inference_error_curve(truth, betas, noise_variance=noise)
    here = inference_error_curve(truth, [settings.beta], noise_variance=noise)
    numbers, curves = {}, {}
    best = {name: optimal_beta(truth, name, noise_variance=noise) for name in CRITERIA}
    for name in CRITERIA:
        sign = -1 if name == "log_score" else 1  # drawn so that less is better
        at_beta = float(getattr(here, name)[0])
        numbers |= {
            f"{name}, optimal beta": best[name].beta,
            f"{name} there": best[name].error,
            f"{name} at beta {settings.beta:g}": at_beta,
        }
        curves[name] = {"beta": betas, "error": sign * getattr(curve, name)}
        shown = BETAS[0] <= best[name].beta <= BETAS[1]
        curves[f"{name} best"] = {"beta": [best[name].beta] * shown, "error": [sign * best[name].error] * shown}
        curves[f"{name} here"] = {"beta": [settings.beta], "error": [sign * at_beta]}
    says = " and ".join(f"the {CRITERIA[name]} {_least(best[name])}" for name in ("forward_kl", "mean_squared_error"))
    loading, factors = _text(truth.loading), _text(truth.factor_covariance)
    model = f'--loading "{loading}" --noise-variance {truth.noise_variance!r} --factor-covariance "{factors}"'
    model += " --decoder-noise learned" * settings.learned
    return Panel(
        f"{says[0].upper()}{says[1:]}.",
        numbers,
        (f"python -m theory optimal-beta {model}", f"python -m theory inference {model} --beta {settings.beta:g}"),
        curves,
    )


def _least(best) -> str:
    if best.flat:
        return "is the same at every β"
    return f"is least at β = {best.beta:.4g}" if best.attained else f"falls towards β = {best.beta:g}"


def _rotation(settings: Settings) -> Panel:
    """The loss along a rotation of the first two latents of the learned VAE."""
    if settings.latent_dim < 2:
        raise ValueError("latent_dim must be at least 2 for a rotation, got 1; take more latents")
    beta, eigenvalues = settings.beta, settings.source.eigenvalues
    point = operating_point(eigenvalues, settings.latent_dim, beta, settings.decoder_noise)
    level = float(point.water_level)
    if level == 0:
        raise ValueError(noise_words("zero", "noise").strip())
    leading = np.append(eigenvalues, 0.0)[:2]
    first, second = (float(value) for value in np.maximum(leading / level, 1.0))
    degrees = np.linspace(0.0, 90.0, 91)
    along = {
        encoder: two_mode_rotation_energy(first, second, np.radians(degrees), beta, encoder=encoder)
        for encoder in ("reoptimised", "truncated")
    }
    numbers = {f"precision {i}": value for i, value in ((1, first), (2, second))}
    highest = {name: float(two_mode_rotation_energy(first, second, QUARTER, beta, encoder=name)) for name in along}
    numbers |= {f"energy at 45 degrees, {name}": value for name, value in highest.items()}
    numbers["curvature at 0 degrees"] = float(rotation_curvature([first, second], beta)[0, 1])
    says = (
        f"A rotation of latents 1 and 2 costs up to {highest['reoptimised']:.3g} nats, unless q has a full covariance."
        if highest["reoptimised"] > 0
        else "Latents 1 and 2 rotate freely: their precisions are equal."
    )
    arguments = f"{first!r}, {second!r}, pi / 4, {beta:g}"
    code = (
        "from math import pi; from theory.axes import rotation_curvature, two_mode_rotation_energy as energy; "
        f"print(energy({arguments}), energy({arguments}, encoder='truncated'), "
        f"rotation_curvature([{first!r}, {second!r}], {beta:g})[0, 1])"
    )
    curves = {name: {"angle": degrees, "energy": values} for name, values in along.items()}
    curves["full"] = {"angle": degrees, "energy": np.zeros(len(degrees))}
    return Panel(f"{says}{_words(str(point.noise_status))}", numbers, (f'python -c "{code}"',), curves)


def _groups(settings: Settings) -> Panel:
    """The squared error under the grouped penalty, by the size of the groups."""
    truth, beta, count = true_model(settings), settings.beta, settings.latent_dim
    sizes = sorted({1, 2, 4, count} if count > 4 else set(range(1, count + 1)))
    code = (
        "from theory import GenerativeModel; from theory.groups import equal_groups, granularity_errors; "
        f"truth = GenerativeModel({truth.loading.tolist()}, {truth.noise_variance!r}, "
        f"{truth.factor_covariance.tolist()}); "
        f"print([error.mean_squared_error for error in granularity_errors(truth, "
        f"[equal_groups({count}, size) for size in {sizes}], {beta:g})])"
    )
    commands = (f'python -c "{code}"',)
    if count > MOST_FACTORS:
        says = f"Not computed: {count} factors take seconds. Take {MOST_FACTORS} latents at most, or run the command."
        return Panel(says, commands=commands, failed=True)
    found = granularity_errors(truth, [equal_groups(count, size) for size in sizes], beta)
    errors = np.array([error.mean_squared_error for error in found])
    relative = errors / errors[-1]
    best = sizes[int(np.argmin(relative))]
    if beta == 1:
        says = "The weight 1 is no penalty."
    elif relative.min() > 1 - SAME:
        says = f"The weight {beta:g} lowers the squared error for no size of the groups."
    else:
        says = f"Groups of {best} lower the squared error by {100 * (1 - relative.min()):.2g} %."
    numbers = {f"squared error, groups of {size}": float(error) for size, error in zip(sizes, errors, strict=True)}
    return Panel(says, numbers, commands, {"groups": {"size": np.array(sizes), "error": relative}})


PANELS: dict[str, Callable[[Settings], Panel]] = {
    "latents": _latents,
    "rate": _rate,
    "inference": _inference,
    "rotation": _rotation,
    "groups": _groups,
}


def true_model(settings: Settings) -> GenerativeModel:
    """x = A s + n, A^T A = L^(1/2) C L^(1/2) with L = diag(l_1, ..., l_K) and C = (1 - r) I + r, r the coherence.

    The factors 1 and 2, 3 and 4, ... have the correlation of the settings, and variance 1.

    Raises
    ------
    ValueError
        for more factors than dimensions, whose columns are dependent.
    """
    eigenvalues, count = settings.source.eigenvalues, settings.latent_dim
    if count > len(eigenvalues):
        raise ValueError(
            f"latent_dim must be at most the {len(eigenvalues)} dimensions of the data, got {count}: more columns of a "
            "loading are dependent; take fewer latents, or more dimensions"
        )
    cosines = (1 - settings.coherence) * np.eye(count) + settings.coherence
    loading = np.zeros((len(eigenvalues), count))
    loading[:count] = np.linalg.cholesky(cosines).T * np.sqrt(eigenvalues[:count])
    pairs = np.arange(count) // 2
    factors = np.where(np.equal.outer(pairs, pairs), settings.correlation, 0.0)
    np.fill_diagonal(factors, 1.0)
    return GenerativeModel(loading, settings.noise_variance, factors)


def _options(settings: Settings) -> str:
    noise = "" if settings.learned else f" --noise-variance {settings.noise_variance!r}"
    return f"--latent-dim {settings.latent_dim}{noise}"


def _text(matrix: np.ndarray) -> str:
    """A matrix as the commands read it, with all digits."""
    return ";".join(",".join(f"{value:.17g}" for value in row) for row in matrix.tolist())


def _words(status: str) -> str:
    """What a status of the noise means, if it does not speak for itself, as a further sentence."""
    meaning = noise_words(status, "Noise").strip()
    return f" {meaning}." if meaning else ""
