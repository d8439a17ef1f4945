"""The two models: what they compute, and what they refuse."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from theory import elbo_terms, optimum
from theory.axes import TemporalModel
from theory.model import GenerativeModel, LinearVAE, linear_vae
from theory.moments import Moments, as_moments
from theory.priors import GaussianPrior
from theory.scores.gaussian_code import GaussianCode

RNG = np.random.default_rng(0)
LOADING = RNG.standard_normal((5, 3))
FACTORS = np.array([[1.0, 0.6, 0.0], [0.6, 2.0, 0.3], [0.0, 0.3, 0.5]])


def test_covariance_of_the_data():
    truth = GenerativeModel(LOADING, 0.3, FACTORS)
    np.testing.assert_allclose(truth.covariance, LOADING @ FACTORS @ LOADING.T + 0.3 * np.eye(5), atol=1e-13)
    assert (truth.data_dim, truth.latent_dim) == (5, 3)
    np.testing.assert_allclose(truth.factor_root @ truth.factor_root.T, FACTORS, atol=1e-14)
    assert not truth.mean.any()


@pytest.mark.parametrize("shape", [(5, 3), (3, 3), (2, 3), (5, 0)], ids=str)
def test_posterior_by_the_joint_gaussian(shape):
    loading = np.random.default_rng(1).standard_normal(shape)
    factors = FACTORS[: shape[1], : shape[1]]
    truth = GenerativeModel(loading, 0.3, factors)
    gain, covariance = truth.posterior()
    expected = factors @ loading.T @ np.linalg.inv(truth.covariance)
    np.testing.assert_allclose(gain, expected, atol=1e-12)
    np.testing.assert_allclose(covariance, factors - expected @ loading @ factors, atol=1e-12)


def test_posterior_without_noise_is_the_limit():
    singular = np.diag([1.0, 0.0, 2.0])
    for loading, factors in ((LOADING, FACTORS), (LOADING[:2], FACTORS), (LOADING, singular)):
        gain, covariance = GenerativeModel(loading, 0.0, factors).posterior()
        near_gain, near_covariance = GenerativeModel(loading, 1e-9, factors).posterior()
        np.testing.assert_allclose(gain, near_gain, atol=1e-7)
        np.testing.assert_allclose(covariance, near_covariance, atol=1e-7)
    gain, covariance = GenerativeModel(LOADING, 0.0).posterior()
    np.testing.assert_allclose(gain, np.linalg.pinv(LOADING), atol=1e-12)
    np.testing.assert_allclose(covariance, 0, atol=1e-15)


def test_factors_that_do_not_vary_or_reach_the_data():
    gain, covariance = GenerativeModel(np.zeros((4, 2)), 0.5).posterior()
    assert not gain.any()
    np.testing.assert_allclose(covariance, np.eye(2), atol=1e-15)
    gain, covariance = GenerativeModel(LOADING, 0.5, np.zeros((3, 3))).posterior()
    assert not gain.any() and not covariance.any()


def test_samples_have_the_moments_of_the_model():
    truth = GenerativeModel(LOADING, 0.3, FACTORS, mean=np.arange(5.0))
    count = 200_000
    factors, data = truth.sample(count, np.random.default_rng(3))
    assert factors.shape == (count, 3) and data.shape == (count, 5)
    joint = np.block([[FACTORS, FACTORS @ LOADING.T], [LOADING @ FACTORS, truth.covariance]])
    scale = np.sqrt(np.diagonal(joint))
    # Standard errors over N: sqrt(S_ii / N) of a mean, sqrt((S_ii S_jj + S_ij^2) / N) of a covariance.
    centred = np.hstack([factors, data - np.arange(5.0)])
    assert (np.abs(centred.mean(axis=0)) < 5 * scale / np.sqrt(count)).all()
    errors = np.sqrt((np.outer(scale**2, scale**2) + joint**2) / count)
    assert (np.abs(centred.T @ centred / count - joint) < 5 * errors).all()
    again, _ = truth.sample(count, np.random.default_rng(3))
    np.testing.assert_array_equal(again, factors)


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_units_of_the_factors_cancel(unit):
    """The second factor in other units, its loading in their inverse: the data do not know."""
    units = np.array([1.0, unit, 1.0])
    truth = GenerativeModel(LOADING / units, 0.3, FACTORS * np.outer(units, units))
    expected = GenerativeModel(LOADING, 0.3, FACTORS)
    np.testing.assert_allclose(truth.covariance, expected.covariance, rtol=1e-12)
    gain, covariance = truth.posterior()
    expected_gain, expected_covariance = expected.posterior()
    np.testing.assert_allclose(gain / units[:, np.newaxis], expected_gain, atol=1e-12)
    np.testing.assert_allclose(covariance / np.outer(units, units), expected_covariance, atol=1e-12)


def test_factors_of_very_different_size_all_vary():
    truth = GenerativeModel([[1.0, 0], [0, 1e8]], 0.5, np.diag([1.0, 1e-16]))
    np.testing.assert_allclose(truth.covariance, np.diag([1.5, 1.5]), rtol=1e-14)
    _, data = truth.sample(20_000, 0)
    # Standard error of a variance of 1.5 from N observations: 1.5 sqrt(2/N).
    assert np.abs(data.var(axis=0) - 1.5).max() < 5 * 1.5 * np.sqrt(2 / 20_000)


def test_what_a_vae_holds():
    vae = LinearVAE(LOADING, LOADING.T, np.eye(3), 1, mean=[0, 1, 2, 3, 4])
    assert (vae.data_dim, vae.latent_dim, vae.noise_variance) == (5, 3, 1.0)
    assert vae.mean.dtype == float and LinearVAE(LOADING, LOADING.T, np.eye(3), 1).mean is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        vae.noise_variance = 2.0


def test_the_families_a_vae_belongs_to():
    covariance = np.eye(3)
    covariance[0, 2] = covariance[2, 0] = 0.1
    vae = LinearVAE(LOADING, LOADING.T, covariance, 1.0)
    assert vae.belongs_to("full") and vae.belongs_to([[0, 2], [1]])
    assert not vae.belongs_to("diagonal") and not vae.belongs_to([[0, 1], [2]])
    assert LinearVAE(LOADING, LOADING.T, np.eye(3), 1.0).belongs_to("diagonal")


def test_a_vae_that_is_none_is_told_why():
    vae = LinearVAE(LOADING, LOADING.T, np.eye(3), 1.0)
    assert linear_vae("vae", vae) is vae
    with pytest.raises(ValueError, match=r"start must be a LinearVAE, got None: the noise ran to zero .* fix noise_va"):
        linear_vae("start", optimum(np.diag([1.0, 0.0]), 1, beta=0.5).vae)
    with pytest.raises(ValueError, match="vae must be a LinearVAE, got an object of type GenerativeModel"):
        linear_vae("vae", GenerativeModel(LOADING, 1.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GenerativeModel(LOADING, -0.1), "noise_variance must be >= 0"),
        (lambda: GenerativeModel(LOADING, "true"), "noise_variance must be numeric"),
        (lambda: GenerativeModel(LOADING[0], 0.1), "loading must be a matrix"),
        (lambda: GenerativeModel(LOADING, 0.1, np.eye(2)), "factor_covariance must be 3 x 3"),
        (lambda: GenerativeModel(LOADING, 0.1, -np.eye(3)), "factor_covariance must have no negative eigenvalue"),
        (lambda: GenerativeModel(LOADING, 0.1, mean=np.zeros(3)), "mean must have length 5"),
        (lambda: LinearVAE(LOADING, LOADING, np.eye(3), 1.0), "encoder must be 3 x 5, got 5 x 3"),
        (lambda: LinearVAE(LOADING.T, LOADING.T, np.eye(3), 1.0), r"decoder must be D x K, got 3 x 5 .*transpose it"),
        (
            lambda: LinearVAE(LOADING.T, LOADING, np.eye(3), 1.0),
            "posterior_covariance must be 5 x 5.*transpose decoder",
        ),
        (lambda: LinearVAE(1e200 * LOADING, LOADING.T, np.eye(3), 1.0), "decoder must be at most 1e50 in size"),
        (lambda: GenerativeModel(1e-200 * LOADING, 0.1), "loading must be zero or between"),
        (lambda: GenerativeModel(LOADING, 1e308), "noise_variance must be at most 1e100"),
        (lambda: GenerativeModel(LOADING, 0.1).sample(2**40, 0), "n = .* needs .* GiB"),
        (lambda: GenerativeModel(LOADING, 0.1).sample(2, "0"), "rng must be a numpy.random.Generator or a seed"),
        (lambda: as_moments(np.diag([1e200, 1.0])), "covariance must be zero or between"),
        (lambda: LinearVAE(LOADING, LOADING.T, np.eye(2), 1.0), "posterior_covariance must be 3 x 3"),
        (
            lambda: LinearVAE(LOADING, LOADING.T, np.zeros((3, 3)), 1.0),
            "posterior_covariance must be positive definite",
        ),
        (lambda: LinearVAE(LOADING, LOADING.T, np.eye(3), 0.0), "noise_variance must be > 0"),
        (lambda: LinearVAE(LOADING, LOADING.T, np.eye(3), 1.0, mean=[0.0]), "mean must have length 5"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (GenerativeModel, {"loading": np.eye(2), "factor_covariance": np.eye(2), "mean": np.ones(2)}),
        (
            LinearVAE,
            {"decoder": np.eye(2), "encoder": np.eye(2), "posterior_covariance": np.eye(2), "mean": np.ones(2)},
        ),
        (Moments, {"covariance": np.eye(2), "mean": np.ones(2)}),
        (GaussianPrior, {"covariance": np.eye(2)}),
        (TemporalModel, {"loading": np.eye(2), "autocorrelations": np.array([0.5, 0.2])}),
        (
            GaussianCode,
            {"factor_covariance": np.eye(2), "code_covariance": np.eye(2), "cross_covariance": np.zeros((2, 2))},
        ),
    ],
)
def test_a_model_keeps_its_values_when_the_caller_goes_on_with_the_arrays(kind, fields):
    others = {Moments: {"count": 5}, GaussianPrior: {}, GaussianCode: {}}.get(kind, {"noise_variance": 0.5})
    given = {name: value.copy() for name, value in fields.items()}
    made = kind(**given, **others)
    for value in given.values():
        value[...] = np.nan  # would have been refused
    for name, value in fields.items():
        np.testing.assert_array_equal(getattr(made, name), value)


class Tensor:
    """What a tensor of PyTorch does: NumPy gets its numbers only without the gradient, and only on the processor."""

    def __init__(self, values, gradient=True, on_processor=False):
        self.values, self.gradient, self.on_processor = np.asarray(values), gradient, on_processor

    def detach(self):
        return Tensor(self.values, False, self.on_processor)

    def cpu(self):
        return Tensor(self.values, self.gradient, True)

    def __array__(self, *_, **__):
        if self.gradient or not self.on_processor:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad")
        return self.values


WEIGHTS = {
    "decoder": [[2.0, 0.0], [0.0, 1.0], [0.5, 0.5]],
    "encoder": [[0.4, 0.0, 0.1], [0.0, 0.3, 0.2]],
    "log_variance": [-1.6, 0.3],
    "decoder_bias": [1.0, 2.0, -1.0],
    "encoder_bias": [-0.3, -0.4],
}


def test_from_weights_is_what_the_layers_compute():
    vae = LinearVAE.from_weights(noise_variance=0.7, **WEIGHTS)
    x = RNG.standard_normal((4, 3))
    by_layers = x @ np.transpose(WEIGHTS["encoder"]) + WEIGHTS["encoder_bias"]
    np.testing.assert_allclose((x - vae.mean) @ vae.encoder.T, by_layers, atol=1e-14)
    np.testing.assert_allclose(np.diagonal(vae.posterior_covariance), np.exp(WEIGHTS["log_variance"]), rtol=1e-15)
    np.testing.assert_array_equal(vae.mean, WEIGHTS["decoder_bias"])
    assert vae.noise_variance == 0.7


def test_from_weights_of_the_optimum_is_the_optimum():
    data = RNG.standard_normal((40, 3)) * [2.0, 1.0, 0.5] + 1.0
    best = optimum(Moments.of(data), 2, noise_variance=0.3)
    rebuilt = LinearVAE.from_weights(
        best.vae.decoder.astype(np.float32),
        best.vae.encoder.astype(np.float32),
        np.log(np.diagonal(best.vae.posterior_covariance)).astype(np.float32),
        noise_variance=0.3,
        decoder_bias=best.vae.mean.astype(np.float32),
        encoder_bias=(-best.vae.encoder @ best.vae.mean).astype(np.float32),
    )
    assert elbo_terms(rebuilt, Moments.of(data)).loss(1.0) == pytest.approx(best.loss, abs=1e-9)


def test_from_weights_takes_tensors_with_gradients():
    tensors = {name: Tensor(np.float32(values)) for name, values in WEIGHTS.items()}
    vae, expected = (LinearVAE.from_weights(noise_variance=0.7, **weights) for weights in (tensors, WEIGHTS))
    np.testing.assert_allclose(vae.encoder, expected.encoder, rtol=1e-6)
    with pytest.raises(ValueError, match="decoder must be any x 2, got 2 x 3; pass its transpose"):
        LinearVAE.from_weights(noise_variance=0.7, **tensors | {"decoder": Tensor(np.ones((2, 3)))})


def test_from_weights_takes_the_layers_of_pytorch():
    torch = pytest.importorskip("torch")
    encoder, decoder = torch.nn.Linear(3, 2), torch.nn.Linear(2, 3)
    with torch.no_grad():
        encoder.bias.copy_(-encoder.weight @ decoder.bias)
    logarithms = torch.nn.Parameter(torch.tensor([-1.0, 0.5], dtype=torch.bfloat16))
    vae = LinearVAE.from_weights(
        decoder.weight,
        encoder.weight,
        logarithms,
        noise_variance=1.0,
        decoder_bias=decoder.bias,
        encoder_bias=encoder.bias,
    )
    x = torch.randn(4, 3)
    with torch.no_grad():
        np.testing.assert_allclose((x.numpy() - vae.mean) @ vae.encoder.T, encoder(x).numpy(), atol=1e-6)
    np.testing.assert_allclose(np.diagonal(vae.posterior_covariance), np.exp([-1.0, 0.5]), rtol=1e-15)


def test_from_weights_without_biases_has_mean_zero():
    weights = {name: WEIGHTS[name] for name in ("decoder", "encoder", "log_variance")}
    assert not LinearVAE.from_weights(**weights, noise_variance=1.0).mean.any()
    with pytest.raises(ValueError, match="encoder_bias must be -encoder @ decoder_bias"):
        LinearVAE.from_weights(**weights, noise_variance=1.0, decoder_bias=[1.0, 0.0, 0.0])


def test_from_weights_says_how_far_off_the_bias_is():
    shifted = WEIGHTS | {"encoder_bias": [-0.3, -0.4 + 0.002 * np.exp(0.15)]}
    with pytest.raises(ValueError, match=r"latent 1 is off by 0\.002 of its posterior standard deviation"):
        LinearVAE.from_weights(noise_variance=1.0, **shifted)
    near = WEIGHTS | {"encoder_bias": [-0.3, -0.4 + 0.0009 * np.exp(0.15)]}
    assert LinearVAE.from_weights(noise_variance=1.0, **near).latent_dim == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"log_variance": [[-1.6, 0.0], [0.0, 0.3]]}, "log_variance must be a vector"),
        ({"log_variance": [-1.6]}, "decoder must be any x 1, got 3 x 2"),
        ({"log_variance": [-1.6, 400.0]}, "log_variance must be at most 230 in size"),
        ({"decoder_bias": [1.0]}, "decoder_bias must have length 3"),
        ({"encoder_bias": [1.0]}, "encoder_bias must have length 2"),
        ({"encoder": np.transpose(WEIGHTS["encoder"])}, "encoder must be 2 x 3, got 3 x 2; pass its transpose"),
        ({"noise_variance": 0.0}, "noise_variance must be > 0"),
        ({"decoder": np.full((3, 2), np.nan)}, "decoder must be finite"),
    ],
)
def test_from_weights_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        LinearVAE.from_weights(**WEIGHTS | {"noise_variance": 1.0} | changes)
