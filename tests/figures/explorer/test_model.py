"""The numbers of the panels, each by another way through `theory`, and by the command that the page shows."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from figures.explorer.model import BETAS, CRITERIA, MOST_FACTORS, PANELS, panel, true_model
from figures.explorer.settings import Settings, chosen_spectrum, given_spectrum
from numerics.experiments.water_filling import shannon_distortion
from tests.figures.explorer.examples import CASES, printed, settings
from theory import elbo_terms, inference_error, optimal_encoder, optimum
from theory.axes import plane_rotation, rotation_energy
from theory.groups import Weights, equal_groups, grouped_optimum
from theory.interface.observations import read_observations

EXACT = {"rel": 1e-9, "abs": 1e-12}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request) -> Settings:
    return request.param


def best_of(case: Settings):
    """The optimum of a full covariance matrix."""
    covariance = np.diag(case.source.eigenvalues)
    return covariance, optimum(covariance, case.latent_dim, beta=case.beta, noise_variance=case.decoder_noise)


def test_latents(case):
    covariance, best = best_of(case)
    found = panel("latents", case)
    assert found.numbers["active_count"] == best.active_count
    assert found.numbers["water_level"] == pytest.approx(case.beta * best.vae.noise_variance, **EXACT)
    assert found.numbers["loss"] == pytest.approx(elbo_terms(best.vae, covariance).loss(case.beta), **EXACT)
    critical = np.array(found.numbers["critical_betas"].split(", "), dtype=float)
    assert critical == pytest.approx(best.critical_betas, rel=1e-5)
    bars = found.curves["bars"]
    assert bars["eigenvalue"] == pytest.approx(case.source.eigenvalues)
    alive = np.diagonal(best.vae.posterior_covariance) < 1
    assert np.count_nonzero(bars["kind"] == "active") == np.count_nonzero(alive)
    assert np.count_nonzero(bars["kind"] == "no latent") == len(covariance) - case.latent_dim
    above = bars["eigenvalue"] > found.curves["level"]["level"]
    assert np.array_equal(above[: case.latent_dim], bars["kind"][: case.latent_dim] == "active")


def test_rate(case):
    covariance, best = best_of(case)
    terms, found = elbo_terms(best.vae, covariance), panel("rate", case)
    assert found.numbers["rate"] == pytest.approx(terms.rate, **EXACT)
    assert found.numbers["distortion"] == pytest.approx(terms.distortion, **EXACT)
    excess = terms.distortion - shannon_distortion(case.source.eigenvalues, terms.rate)
    assert found.numbers["excess_distortion"] == pytest.approx(excess, rel=1e-7, abs=1e-8 * np.trace(covariance))
    assert ("is on Shannon's curve" in found.says) == (found.numbers["excess_distortion"] < 1e-9)


@pytest.mark.parametrize("beta", BETAS)
def test_the_point_is_on_the_curve_of_the_vae(beta):
    curves = panel("rate", settings(beta=beta, noise_variance=1e-3)).curves
    (rate,), (distortion,) = curves["here"]["rate"], curves["here"]["distortion"]
    vae = curves["VAE"]
    assert vae["rate"][0] <= rate <= vae["rate"][-1]
    assert np.interp(rate, vae["rate"], vae["distortion"]) == pytest.approx(distortion, rel=1e-2)


def test_inference(case):
    truth, numbers = true_model(case), panel("inference", case).numbers

    def missing(noise, beta):  # D s2 - distortion, zero at the learned noise
        vae = optimal_encoder(truth.loading, noise, beta)
        return len(truth.loading) * noise - elbo_terms(vae, truth.covariance).distortion

    def error(criterion, beta):
        noise = brentq(missing, 1e-3, 1e2, (beta,), xtol=1e-15) if case.learned else truth.noise_variance
        return getattr(inference_error(truth, optimal_encoder(truth.loading, noise, beta)), criterion)

    for criterion in CRITERIA:
        sign = -1 if criterion == "log_score" else 1
        assert numbers[f"{criterion} at beta {case.beta:g}"] == pytest.approx(error(criterion, case.beta), rel=1e-9)
        best = numbers[f"{criterion}, optimal beta"]
        found = minimize_scalar(
            lambda log, criterion=criterion, sign=sign: sign * error(criterion, np.exp(log)),
            bounds=(np.log(best) - 2, np.log(best) + 2),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert np.exp(found.x) == pytest.approx(best, rel=1e-5)
        assert numbers[f"{criterion} there"] == pytest.approx(sign * found.fun, rel=1e-9)


def test_rotation(case):
    _, best = best_of(case)
    rotation, numbers = plane_rotation(case.latent_dim, np.pi / 4), panel("rotation", case).numbers
    for encoder in ("reoptimised", "truncated"):
        energy = rotation_energy(best.vae.decoder, best.noise_variance, case.beta, rotation, encoder=encoder)
        assert numbers[f"energy at 45 degrees, {encoder}"] == pytest.approx(energy, rel=1e-9, abs=1e-12)
    small = plane_rotation(case.latent_dim, 1e-3)
    bend = 2 * rotation_energy(best.vae.decoder, best.noise_variance, case.beta, small) / 1e-6
    assert numbers["curvature at 0 degrees"] == pytest.approx(bend, rel=1e-4, abs=1e-9)


def test_groups(case):
    truth, found = true_model(case), panel("groups", case)
    errors = []
    for size in found.curves["groups"]["size"]:
        groups = equal_groups(case.latent_dim, int(size))
        best = grouped_optimum(
            truth.loading, truth.noise_variance, truth.covariance, Weights.independence(case.beta), groups
        )
        errors.append(inference_error(truth, best.vae).mean_squared_error)
    assert list(found.numbers.values()) == pytest.approx(errors, rel=1e-6)
    assert found.curves["groups"]["error"] == pytest.approx(np.array(errors) / errors[-1], rel=1e-6)
    plain = inference_error(truth, optimal_encoder(truth.loading, truth.noise_variance, 1.0)).mean_squared_error
    assert errors[-1] == pytest.approx(plain, rel=1e-9)


def test_the_true_model(case):
    truth = true_model(case)
    norms = np.linalg.norm(truth.loading, axis=0)
    assert norms**2 == pytest.approx(case.source.eigenvalues[: case.latent_dim])
    cosines = truth.loading.T @ truth.loading / np.outer(norms, norms)
    assert cosines == pytest.approx((1 - case.coherence) * np.eye(case.latent_dim) + case.coherence, abs=1e-12)
    assert truth.factor_covariance[0, 1] == case.correlation and truth.factor_covariance[0, 2] == 0


def test_the_commands_give_the_numbers(case):
    found = {name: panel(name, case) for name in PANELS}
    latents, (best,) = found["latents"].numbers, map(printed, found["latents"].commands)
    assert all(best[name] == latents[name] for name in ("noise_variance", "noise_status", "active_count"))
    assert best["loss"] == pytest.approx(latents["loss"], **EXACT)
    rate, (point, curve) = found["rate"].numbers, map(printed, found["rate"].commands)
    assert (point["rate"], point["distortion"]) == ([rate["rate"]], [rate["distortion"]])
    assert curve["excess_rate"] == pytest.approx([rate["excess_rate"]], abs=1e-12)
    assert curve["excess_distortion"] == pytest.approx([rate["excess_distortion"]], abs=1e-12)
    inference, (optimal, errors) = found["inference"].numbers, map(printed, found["inference"].commands)
    for name in CRITERIA:
        assert optimal[name]["beta"] == inference[f"{name}, optimal beta"]
        assert optimal[name]["error"] == inference[f"{name} there"]
        assert errors[name] == [inference[f"{name} at beta {case.beta:g}"]]
    for name, numbers in (("rotation", list(found["rotation"].numbers.values())[2:]), ("groups", None)):
        (shown,) = map(printed, found[name].commands)
        assert shown == pytest.approx(numbers or list(found[name].numbers.values()), rel=1e-9, abs=1e-12)


def test_the_commands_of_own_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).standard_normal((40, 5)) * [3.0, 2.0, 1.0, 0.5, 0.1]
    np.savetxt("mine.csv", rows, delimiter=",", header="a,b,c,d,e", comments="")
    own = given_spectrum(read_observations("mine.csv", standardize=True), "--data mine.csv --standardize")
    case = settings(own, latent_dim=3, learned=True)
    latents, (best,) = panel("latents", case).numbers, map(printed, panel("latents", case).commands)
    assert best["noise_variance"] == pytest.approx(latents["noise_variance"], rel=1e-12)
    (point, _), rate = map(printed, panel("rate", case).commands), panel("rate", case).numbers
    assert point["rate"] == pytest.approx([rate["rate"]], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("inference", {"latent_dim": 21}, "latent_dim must be at most the 20 dimensions of the data, got 21"),
        ("groups", {"latent_dim": 21}, "latent_dim must be at most the 20 dimensions of the data, got 21"),
        ("groups", {"latent_dim": MOST_FACTORS + 1}, "Take 8 latents at most, or run the command"),
        ("rotation", {"latent_dim": 1}, "latent_dim must be at least 2 for a rotation, got 1"),
        ("rotation", {"learned": True, "latent_dim": 20, "beta": 0.5}, "the loss falls without bound"),
    ],
)
def test_what_cannot_be_computed_is_said(name, changes, words):
    found = panel(name, settings(**changes))
    assert found.failed and words in found.says and not found.curves and not found.numbers


@pytest.mark.parametrize("name", ["latents", "rate"])
def test_a_noise_that_runs_to_zero_is_said(name):
    found = panel(name, settings(learned=True, latent_dim=20, beta=0.5))
    assert "the loss falls without bound as the noise vanishes" in found.says
    assert found.numbers["noise_status"] == "zero" and not found.failed


def test_no_setting_of_the_controls_leaves_a_panel_empty():
    """Ends of the sliders: each panel has numbers, or says why not."""
    for source in (chosen_spectrum("geometric", 2, 0.3), chosen_spectrum("flat", 64, 1.0)):
        for latent_dim in (1, 2, 16):
            for beta in BETAS:
                for learned in (False, True):
                    for noise in (1e-4, 3.16):
                        ends = {"latent_dim": latent_dim, "beta": beta, "noise_variance": noise, "learned": learned}
                        case = settings(source, coherence=0.95, correlation=0.95, **ends)
                        for name in PANELS:
                            found = panel(name, case)
                            assert found.says and (found.failed or found.numbers), (name, ends)


AT_ONCE = [name for name in PANELS if name != "groups"]  # which the page computes when the controls rest
MOVES = {
    "beta": [{"beta": beta} for beta in (0.5, 1.5, 2.5)],
    "noise": [{"noise_variance": noise} for noise in (0.05, 0.1, 0.2)],
    "learned noise": [{"learned": True, "beta": beta} for beta in (1.5, 2.0)],
    "latents": [{"latent_dim": latent_dim} for latent_dim in (6, 7, 8)],
    "coherence": [{"coherence": coherence} for coherence in (0.3, 0.5, 0.7)],
    "correlation": [{"correlation": correlation} for correlation in (0.3, 0.6, 0.8)],
    "decay": [{"source": chosen_spectrum("geometric", 64, decay)} for decay in (0.6, 0.8, 0.9)],
}


def test_a_slider_is_answered_in_a_tenth_of_a_second(capsys):
    """D = 64, K = 8, the best of some tries in processor time: other programs of this machine take their time too."""
    opened = {"source": chosen_spectrum("geometric", 64, 0.8), "latent_dim": 8}
    cases = {slider: [settings(**(opened | move)) for move in moves] for slider, moves in MOVES.items()}
    taken = {slider: max(least_time(case, AT_ONCE) for case in moved) for slider, moved in cases.items()}
    rest = {slider: max(least_time(case, ["groups"]) for case in moved) for slider, moved in cases.items()}
    with capsys.disabled():
        for what, times in (("four panels", taken), ("the groups", rest)):
            print(f"\nms to {what}:", ", ".join(f"{name} {1e3 * seconds:.0f}" for name, seconds in times.items()))
    assert max(taken.values()) < 0.1


def least_time(case: Settings, names: list[str], tries: int = 7) -> float:
    times = []
    for _ in range(tries):
        start = time.thread_time()
        for name in names:
            assert not panel(name, case).failed
        times.append(time.thread_time() - start)
    return min(times)
