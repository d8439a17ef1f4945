"""The answers of docs/questions.md, without the project: losses as people write them, minimised by SciPy on its data.

The squared error and the KL are those of a linear VAE on the rows of the file, with the mean over the sampled codes
taken exactly; their gradients are written by hand. All weights are free, from random starts. The printed numbers have
six digits.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, minimize, minimize_scalar

from tests.manual import ROOT, examples

ANSWERS = examples(ROOT / "docs/questions.md")
SIX_DIGITS = {"rel": 1e-5, "abs": 1e-7}


def answer(*words):
    """The one example of the page whose command has these words."""
    (found,) = [each for each in ANSWERS if all(word in each.source for word in words)]
    return found


def numbers(table, name):
    return np.array(table[name], dtype=float)


def columns(name, delimiter=",", first=1):
    """The numbers of a file of the page, from this column on."""
    lines = (ROOT / "docs/examples" / name).read_text(encoding="utf-8").split()
    return np.array([line.split(delimiter)[first:] for line in lines[1:]], dtype=float)


def standardized(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


DATA = standardized(columns("plants.csv"))
LAB = standardized(columns("plants_lab.csv", ";", 2))


class Terms:
    """`MSELoss` and the KL (summed over latents, mean over rows) of all weights in one vector, with gradients."""

    def __init__(self, latent_dim: int, data: np.ndarray = DATA) -> None:
        self.latent_dim, self.data = latent_dim, data
        self.count, self.data_dim = data.shape
        self.weights = self.data_dim * latent_dim
        self.size = 2 * self.weights + latent_dim

    def parts(self, point):
        decoder, encoder, logs = np.split(point[: self.size], [self.weights, 2 * self.weights])
        return decoder.reshape(self.data_dim, -1), encoder.reshape(-1, self.data_dim), np.exp(logs)

    def mse(self, point):
        decoder, encoder, variances = self.parts(point)
        means = self.data @ encoder.T
        left = self.data - means @ decoder.T
        spread = np.sum(decoder**2, axis=0) * variances
        gradients = (
            2 * (decoder * variances - left.T @ means / self.count),
            -2 * (left @ decoder).T @ self.data / self.count,
            spread,
        )
        value = np.sum(left**2) / self.count + spread.sum()
        return value / self.data_dim, np.concatenate([each.ravel() for each in gradients]) / self.data_dim

    def kl(self, point):
        decoder, encoder, variances = self.parts(point)
        means = self.data @ encoder.T
        value = np.sum(means**2) / self.count + np.sum(variances - 1 - np.log(variances))
        gradients = np.zeros(decoder.shape), means.T @ self.data / self.count, (variances - 1) / 2
        return value / 2, np.concatenate([each.ravel() for each in gradients])

    def active_count(self, point):
        return np.count_nonzero(np.sum(self.parts(point)[0] ** 2, axis=0) > 1e-5)

    def start(self):
        return np.random.default_rng(0).standard_normal(self.size) / 2


def trained(latent_dim: int, mse_weight: float, kl_weight: float):
    """MSE, KL and number of active latents where mse_weight MSE + kl_weight KL is least."""
    terms = Terms(latent_dim)

    def loss(point):
        (mse, mse_gradient), (kl, kl_gradient) = terms.mse(point), terms.kl(point)
        return mse_weight * mse + kl_weight * kl, mse_weight * mse_gradient + kl_weight * kl_gradient

    end = _minimized(loss, terms.start())
    return terms.mse(end)[0], terms.kl(end)[0], terms.active_count(end)


def trained_with_noise(terms: Terms, beta: float) -> dict:
    """Where the negative log-likelihood with a learned noise, plus beta KL, is least; named as the page prints it."""
    half = terms.data_dim / 2

    def loss(point):
        (mse, mse_gradient), (kl, kl_gradient), noise = terms.mse(point), terms.kl(point), np.exp(point[-1])
        value = half * mse / noise + half * np.log(2 * np.pi * noise) + beta * kl
        return value, np.append(half * mse_gradient / noise + beta * kl_gradient, half - half * mse / noise)

    end = _minimized(loss, np.append(terms.start(), 0.0))
    return {
        "noise_variance": np.exp(end[-1]),
        "active_count": terms.active_count(end),
        "distortion": terms.data_dim * terms.mse(end)[0],
        "rate": terms.kl(end)[0],
        "loss": loss(end)[0],
    }


def _minimized(loss, start):
    options = {"maxiter": 20_000, "maxfun": 10**5, "ftol": 0, "gtol": 1e-9, "maxcor": 30}
    return minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x


def test_which_latents_survive_and_what_training_reaches():
    mse, kl, alive = trained(4, 1, 0.3)
    facts = answer("theory report").facts()
    assert facts["latents alive"] == f"{alive} of 4"
    assert float(facts["rate (nats)"]) == pytest.approx(kl, **SIX_DIGITS)
    assert float(facts["distortion"]) == pytest.approx(6 * mse, **SIX_DIGITS)
    # The loss of this project, from its definition in the README with noise 1 and beta = 0.3 * 6 / 2.
    table = answer("numerics train").table("quantity")
    own = 6 * mse / 2 + 3 * np.log(2 * np.pi) + 0.9 * kl
    assert numbers(table, "closed_form") == pytest.approx([own, 6 * mse, kl, 1, alive, mse + 0.3 * kl], **SIX_DIGITS)
    assert numbers(table, "trained") == pytest.approx([own, 6 * mse, kl, 1, alive, mse + 0.3 * kl], **SIX_DIGITS)


def test_an_average_over_the_latents():
    _, _, alive = trained(4, 1, 1.2 / 4)
    assert answer("convention", "--kl mean").table("mode")["active"].count("yes") == alive


@pytest.mark.parametrize("factor", [0.998, 1.002])
def test_the_weight_at_which_each_latent_dies(factor):
    weights = numbers(answer("critical-betas", "--reconstruction").table("mode"), "critical_kl_weight")
    for index, weight in enumerate(weights):
        assert trained(6, 1, factor * weight)[2] == index + (factor < 1)
    batch = numbers(answer("--batch-size").table("mode"), "critical_kl_weight")
    for index, weight in enumerate(batch):  # the sum of the KL of 32 rows is 32 times their mean
        assert trained(6, 1, 32 * factor * weight)[2] == index + (factor < 1)


def test_what_too_few_latents_cost():
    table = answer("--latent-dim 2", "--water-level").table("water_level")
    spectrum = np.linalg.eigvalsh(DATA.T @ DATA / len(DATA))

    def shannon(level):
        return np.log(np.maximum(spectrum / level, 1)).sum() / 2, np.minimum(spectrum, level).sum()

    for row, level in enumerate(numbers(table, "water_level")):
        mse, kl, _ = trained(2, 3, level)
        at_this_error = brentq(lambda other, mse=mse: shannon(other)[1] - 6 * mse, 1e-6, 4, xtol=1e-14)
        at_this_rate = brentq(lambda other, kl=kl: shannon(other)[0] - kl, 1e-6, 4, xtol=1e-14)
        expected = {
            "rate": shannon(level)[0],
            "distortion": shannon(level)[1],
            "vae_rate": kl,
            "vae_distortion": 6 * mse,
        }
        expected["excess_rate"] = kl - shannon(at_this_error)[0]
        expected["excess_distortion"] = 6 * mse - shannon(at_this_rate)[1]
        for name, value in expected.items():
            assert numbers(table, name)[row] == pytest.approx(value, rel=1e-5, abs=1e-7), name


@pytest.mark.parametrize(("command", "fixed"), [("--rate 1,2", "kl"), ("--distortion 2,3", "mse")])
def test_the_weight_that_holds_the_kl_or_the_error(command, fixed):
    """One term is minimised while the other is held; the weight is the multiplier of what is held."""
    table = answer(command).table("kl_weight")
    terms = Terms(4)
    assert numbers(table, "beta") == pytest.approx(numbers(table, "kl_weight") * 6 / 2, rel=1e-5)
    rates = numbers(table, "rate") * (np.log(2) if fixed == "mse" else 1)
    for weight, rate, error in zip(numbers(table, "kl_weight"), rates, numbers(table, "distortion"), strict=True):
        free, held, goal = (terms.mse, terms.kl, rate) if fixed == "kl" else (terms.kl, terms.mse, error / 6)
        found = minimize(
            free,
            terms.start(),
            jac=True,
            method="SLSQP",
            constraints={"type": "eq", "fun": lambda p: held(p)[0] - goal, "jac": lambda p: held(p)[1]},  # noqa: B023
            options={"maxiter": 2000, "ftol": 1e-15},
        )
        (mse, mse_gradient), (kl, kl_gradient) = terms.mse(found.x), terms.kl(found.x)
        assert (kl, 6 * mse) == pytest.approx((rate, error), rel=1e-5)
        assert -(mse_gradient @ kl_gradient) / (kl_gradient @ kl_gradient) == pytest.approx(weight, rel=1e-3)


def test_a_learned_noise():
    table = answer("theory optimum", "--beta 0.5").table("beta")
    for row, beta in enumerate(numbers(table, "beta")):
        for name, value in trained_with_noise(Terms(4), beta).items():
            assert numbers(table, name)[row] == pytest.approx(value, **SIX_DIGITS), (beta, name)


@pytest.mark.parametrize("factor", [0.998, 1.002])
def test_the_beta_at_which_each_latent_dies_with_a_learned_noise(factor):
    first, second, last = numbers(answer("plants_lab.csv").table("mode"), "critical_beta")
    for alive, beta in enumerate((first, second)):
        assert trained_with_noise(Terms(3, LAB), factor * beta)["active_count"] == alive + (factor < 1)
    assert last == 1  # of as many latents as columns; below it the loss has no bound


def test_the_loss_that_has_no_bound():
    """Once all six latents live, each tenth of the noise takes (D - beta R) / 2 log(10) from it."""
    assert answer("--latent-dim 6", "--beta 0.8").facts()["loss"] == "-inf"
    losses = []
    for noise in (0.1, 0.01):
        mse, kl, alive = trained(6, 3 / noise, 0.8)
        losses.append(3 * mse / noise + 3 * np.log(2 * np.pi * noise) + 0.8 * kl)
        assert alive == 6
    assert losses[1] - losses[0] == pytest.approx(-(6 - 0.8 * 6) / 2 * np.log(10), rel=1e-6)


@pytest.mark.parametrize(
    ("words", "data"),
    [
        (("plants_lab.csv",), LAB),
        (("plants.csv --noise-variance 1",), columns("plants.csv")),
        (("critical-betas", "--reconstruction"), DATA),
        (("convention", "--kl mean"), DATA),
        (("--batch-size",), DATA),
        (("theory report",), DATA),
        (("--latent-dim 6",), DATA),
    ],
)
def test_the_eigenvalues_of_the_columns_that_are_read(words, data):
    table, expected = answer(*words).table("mode"), np.linalg.eigvalsh(np.cov(data, rowvar=False, bias=True))[::-1]
    shown = numbers(table, "eigenvalue")
    assert shown == pytest.approx(expected[: len(shown)], rel=1e-5)
    if "explained" in table:
        assert numbers(table, "explained") == pytest.approx(np.cumsum(expected) / expected.sum(), rel=1e-5)


def test_the_beta_that_infers_the_factors_best():
    """Least squares for the decoder, the errors of its encoders from their definitions, a search over beta."""
    factors = standardized(columns("plants_factors.csv"))
    loading = np.linalg.lstsq(factors, DATA, rcond=None)[0].T
    left = DATA - factors @ loading.T
    noise = np.sum(left**2) / (6 * (len(DATA) - 4))  # three slopes and a mean were estimated
    prior = np.corrcoef(factors, rowvar=False)
    covariance = loading @ prior @ loading.T + noise * np.eye(6)
    true_covariance = np.linalg.inv(np.linalg.inv(prior) + loading.T @ loading / noise)
    true_encoder = true_covariance @ loading.T / noise

    def errors(beta):
        gram = loading.T @ loading
        encoder = np.linalg.solve(gram + beta * noise * np.eye(3), loading.T)
        variances = beta * noise / (np.diagonal(gram) + beta * noise)
        gap = (encoder - true_encoder) @ covariance @ (encoder - true_encoder).T
        log_ratio = np.log(variances).sum() - np.linalg.slogdet(true_covariance)[1]
        forward = (np.sum(np.diagonal(true_covariance + gap) / variances) - 3 + log_ratio) / 2
        inverse = np.linalg.inv(true_covariance)
        reverse = (np.sum(np.diagonal(inverse) * variances) + np.trace(inverse @ gap) - 3 - log_ratio) / 2
        left = np.diagonal(true_covariance + gap)
        score = -(np.sum(np.log(2 * np.pi * variances)) + np.sum(left / variances)) / 2
        return {"mean_squared_error": left.sum(), "forward_kl": forward, "reverse_kl": reverse, "log_score": score}

    shown = answer("--factors")
    assert float(shown.facts()["noise_variance"]) == pytest.approx(noise, **SIX_DIGITS)
    table = shown.table("criterion")
    for name, beta, low, high, error in zip(
        *(table[each] for each in ("criterion", "beta", "low", "high", "error")), strict=True
    ):
        sign = -1 if name == "log_score" else 1
        best = minimize_scalar(
            lambda beta, name=name, sign=sign: sign * errors(beta)[name],
            bounds=(0.3, 3),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert float(beta) == pytest.approx(best.x, rel=2e-5)
        assert float(error) == pytest.approx(errors(best.x)[name], **SIX_DIGITS)
        assert float(low) < best.x < float(high)
