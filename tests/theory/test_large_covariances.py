"""Covariances that are never formed: few observations, sparse ones, operators, against the matrix itself."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from theory import Moments, critical_betas, data_report, operating_point, optimum, optimum_curve
from theory.large_covariances import modes_of_rows
from theory.learning import learned_noise_variance

RNG = np.random.default_rng(0)


def wide(name: str) -> np.ndarray:
    """Fewer observations than variables."""
    data = RNG.standard_normal((25, 60)) * np.geomspace(3, 0.3, 60) + 4
    if name == "low rank":
        data = RNG.standard_normal((25, 4)) @ RNG.standard_normal((4, 60))
    if name == "twice":
        data[12:24] = data[:12]
    if name == "constant columns":
        data[:, ::3] = 1.0
    if name == "units":
        data *= np.where(np.arange(60) % 2, 1e-6, 1e3)
    if name == "far":
        data += 1e8
    if name == "ties":
        data = np.kron(np.eye(25), [1.0, 1.0, 0.0])[:, :60]
    if name == "two rows":
        data = data[:2]
    return data


NAMES = ("distinct", "low rank", "twice", "constant columns", "units", "far", "ties", "two rows")
CASES = [{}, {"beta": 1.7}, {"beta": 0.4}, {"noise_variance": 0.05}, {"leading_only": True}]


def formed(data) -> Moments:
    """The same moments with a covariance."""
    moments = Moments.of(data)
    return Moments(moments.count, moments.mean, moments.covariance)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", CASES, ids=str)
@pytest.mark.parametrize("latents", [0, 1, 3, 24, 30, 70])
def test_the_optimum_is_that_of_the_covariance(name, options, latents):
    data = wide(name)
    found, expected = optimum(Moments.of(data), latents, **options), optimum(formed(data), latents, **options)
    assert found.noise_status == expected.noise_status
    np.testing.assert_array_equal(found.active, expected.active)
    for part in ("loss", "rate", "distortion", "noise_variance"):
        assert getattr(found, part) == pytest.approx(getattr(expected, part), rel=1e-8, abs=1e-300), part
    np.testing.assert_allclose(found.critical_betas, expected.critical_betas, rtol=1e-7, atol=1e-8)
    scale = expected.eigenvalues.max(initial=1.0)
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues, rtol=0, atol=1e-13 * scale * 60)
    assert found.resolution <= expected.resolution * 1.01
    if found.vae is not None and name != "ties":
        size = np.abs(expected.vae.decoder).max(initial=1e-300)
        np.testing.assert_allclose(found.vae.decoder / size, expected.vae.decoder / size, rtol=0, atol=1e-7)
        np.testing.assert_array_equal(found.vae.mean, expected.vae.mean)


def test_it_is_an_optimum_whatever_its_axes():
    """Tied modes leave the axes free: the decoder is an optimum if it reproduces the loss."""
    from theory import elbo_terms

    data = wide("ties")
    found = optimum(Moments.of(data), 5, noise_variance=0.01)
    assert elbo_terms(found.vae, Moments.of(data)).loss(1.0) == pytest.approx(found.loss, rel=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_what_takes_eigenvalues_takes_few_observations(name):
    data = wide(name)
    moments, full = Moments.of(data), formed(data)
    np.testing.assert_allclose(critical_betas(moments, 8), critical_betas(full, 8), rtol=1e-7, atol=1e-8)
    curves = [optimum_curve(each, 8, [0.5, 1.0, 2.0], noise_variance=0.2) for each in (moments, full)]
    np.testing.assert_allclose(curves[0].loss, curves[1].loss, rtol=1e-10)
    points = [operating_point(each, 8, beta=1.2, noise_variance=0.2) for each in (moments, full)]
    assert points[0].rate == pytest.approx(points[1].rate, rel=1e-9)
    reports = [data_report(each, 3, beta=1.2) for each in (moments, full)]
    for field, value in vars(reports[0]).items():
        expected = getattr(reports[1], field)
        if isinstance(value, str | tuple | int):
            assert value == expected or field == "rank", field
        else:
            np.testing.assert_allclose(value, expected, rtol=1e-7, atol=1e-8 * (np.max(np.abs(expected)) + 1e-300))
    assert "covariance" not in vars(moments)


def axes_of_variables() -> np.ndarray:
    """Three orthonormal directions of 40 variables."""
    return np.linalg.qr(np.random.default_rng(1).standard_normal((40, 3)))[0]


def few_observations_of(deviations) -> np.ndarray:
    """20 observations of 40 variables with these standard deviations along three directions."""
    codes = np.random.default_rng(2).standard_normal((20, 3))
    codes = np.linalg.qr(codes - codes.mean(axis=0))[0]
    return np.sqrt(20) * (codes * deviations) @ axes_of_variables().T


def test_small_eigenvalues_keep_the_digits_of_the_observations():
    """Eigenvalues of 1 and 1e-18: a covariance has the smaller as rounding."""
    data, axes = few_observations_of([1.0, 0.5, 1e-9]), axes_of_variables()
    eigenvalues, directions, resolution = modes_of_rows(Moments.of(data).rows, 3)
    np.testing.assert_allclose(eigenvalues[:3], [1, 0.25, 1e-18], rtol=1e-5)
    assert resolution < 1e-22 and not eigenvalues[3:].any()
    np.testing.assert_allclose(np.abs(np.sum(directions * axes, axis=0)), 1, rtol=1e-6)
    best = optimum(Moments.of(data), 2)
    assert best.noise_status == "learned" and best.noise_variance == pytest.approx(1e-18 / 38, rel=1e-5)


@pytest.mark.parametrize("latents", [1, 2, 3, 4])
@pytest.mark.parametrize("form", [Moments.of, lambda data: Moments(5, np.zeros(3), np.diag([1.0, 0.5, 1e-20]))])
def test_every_function_takes_the_same_eigenvalues_as_zero(form, latents):
    """What data of so many digits determine is no rounding: in `optimum`, its curve, the report and the thresholds."""
    data = few_observations_of([1.0, 0.5, 1e-9])
    moments = form(data)
    best, report = optimum(moments, latents), data_report(moments, latents)
    noise = learned_noise_variance(moments, latents, 1.0)
    point = operating_point(moments, latents, beta=1.0)
    states = {best.noise_status, report.noise_status, report.learned_noise_status, noise.status, point.noise_status}
    assert len(states) == 1
    for found in (report.noise_variance, report.learned_noise_variance, noise.noise_variance, point.noise_variance):
        assert found == pytest.approx(best.noise_variance, rel=1e-6)
    np.testing.assert_allclose(critical_betas(moments, latents), best.critical_betas, rtol=1e-6)


def test_the_rank_of_few_observations_does_not_depend_on_the_latents():
    moments = Moments.of(few_observations_of([1.0, 0.5, 1e-9]))
    assert {data_report(moments, latents).rank for latents in (1, 2, 3, 4)} == {3}


def test_dense_observations_keep_their_digits_however_many_they_are(monkeypatch):
    monkeypatch.setattr("theory.large_covariances.LARGEST_FILLED", 1)
    assert optimum(Moments.of(few_observations_of([1.0, 0.5, 1e-9])), 2).noise_variance == pytest.approx(1e-18 / 38)


@pytest.mark.parametrize("shape", [(30, 80), (80, 30), (60, 60)])
def test_sparse_observations_have_the_optimum_of_the_numbers(shape, monkeypatch):
    data = RNG.standard_normal(shape) * (RNG.random(shape) < 0.3) * np.geomspace(5, 0.5, shape[1])
    expected = optimum(formed(data), 4, beta=1.2)
    for large in (2000, 10):  # by a matrix, and by products alone
        monkeypatch.setattr("theory.moments.few_rows.LARGE", large)
        for only in (False, True):
            found = optimum(Moments.of(sparse.csr_array(data)), 4, beta=1.2, leading_only=only)
            assert found.loss == pytest.approx(expected.loss, rel=1e-10)
            np.testing.assert_allclose(found.vae.decoder, expected.vae.decoder, atol=1e-8)
            assert len(found.eigenvalues) == (4 if only else shape[1])


SPECTRA = {
    "distinct": np.geomspace(9, 0.1, 300),
    "flat": np.full(300, 2.0),
    "low rank": np.r_[5.0, 4.0, 3.0, np.zeros(297)],
    "small": np.r_[5.0, 4.0, 3.0],
    "units": np.geomspace(9, 0.1, 300) * 1e40,
}


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("latents", [0, 1, 3, 8, 120, 400])
@pytest.mark.parametrize("noise", ["learned", "fixed"])
def test_an_operator_is_as_good_as_its_matrix(name, latents, noise):
    eigenvalues = SPECTRA[name]
    axes = np.linalg.qr(RNG.standard_normal((len(eigenvalues),) * 2))[0]
    covariance = (axes * eigenvalues) @ axes.T
    covariance = (covariance + covariance.T) / 2
    noise = "learned" if noise == "learned" else float(eigenvalues[0]) / 9
    expected = optimum(covariance, latents, beta=1.2, noise_variance=noise)
    found = optimum(
        aslinearoperator(covariance), latents, beta=1.2, noise_variance=noise, trace=float(np.trace(covariance))
    )
    assert (found.noise_status, found.active_count) == (expected.noise_status, expected.active_count)
    assert found.loss == pytest.approx(expected.loss, rel=1e-9)
    assert found.noise_variance == pytest.approx(expected.noise_variance, rel=1e-9, abs=1e-300)
    np.testing.assert_allclose(found.critical_betas, expected.critical_betas, rtol=1e-8, atol=1e-10)
    assert len(found.eigenvalues) == min(latents, len(eigenvalues))
    if name in ("distinct", "units") and latents <= 8 and found.vae is not None:
        size = np.abs(expected.vae.decoder).max(initial=1e-300)
        np.testing.assert_allclose(found.vae.decoder / size, expected.vae.decoder / size, atol=1e-9)


def diagonal_operator(eigenvalues, dtype=float) -> LinearOperator:
    """A diagonal covariance whose products are numbers of a type."""

    def product(vector):
        return (eigenvalues.astype(dtype) * vector.ravel().astype(dtype)).astype(dtype)

    return LinearOperator((len(eigenvalues),) * 2, matvec=product, dtype=dtype)


@pytest.mark.parametrize("seed", range(12))
def test_an_operator_has_every_one_of_equal_eigenvalues(seed):
    """From one start the iteration sees each eigenspace in one direction only."""
    generator = np.random.default_rng(seed)
    levels = generator.uniform(0.1, 10, generator.integers(2, 30))
    eigenvalues = generator.choice(levels, generator.integers(300, 900))
    latents = int(generator.integers(2, len(eigenvalues) // 5))
    found = optimum(diagonal_operator(eigenvalues), latents, trace=eigenvalues.sum())
    np.testing.assert_allclose(found.eigenvalues, np.sort(eigenvalues)[::-1][:latents], rtol=1e-12)
    gram = found.vae.decoder.T @ found.vae.decoder
    np.testing.assert_allclose(gram, np.diag(np.diagonal(gram)), atol=1e-12 * gram.max())


@pytest.mark.parametrize("seed", [746, 807, 1010, 1851])
def test_an_equal_eigenvalue_close_to_the_others_is_found(seed):
    """The seventh twice, and the next within 1e-6."""
    eigenvalues = np.sort(1 - 1e-4 * np.random.default_rng(seed).random(260))[::-1]
    eigenvalues[7] = eigenvalues[6]
    found = optimum(diagonal_operator(eigenvalues), 8, trace=eigenvalues.sum(), noise_variance=0.3)
    np.testing.assert_allclose(found.eigenvalues, eigenvalues[:8], rtol=1e-13)


@pytest.mark.parametrize("gap", [1e-14, 1e-9, 1e-7])
def test_eigenvalues_that_nearly_tie_at_the_last_latent_are_found(gap):
    eigenvalues = np.exp(-np.arange(600) / 50)
    eigenvalues[1:3] = 1 - gap / 3, 1 - gap
    found = optimum(diagonal_operator(eigenvalues), 2, trace=eigenvalues.sum())
    np.testing.assert_allclose(found.eigenvalues, [1, 1 - gap / 3], rtol=1e-13)


@pytest.mark.parametrize("positive", [[1.0], [1.0, 0.5], [1.0, 1.0, 1.0]])
@pytest.mark.parametrize("latents", [1, 2, 3, 20])
def test_an_operator_of_low_rank_ends_where_nothing_is_left(positive, latents):
    eigenvalues = np.r_[np.zeros(500 - len(positive)), positive]
    found = optimum(diagonal_operator(eigenvalues), latents, trace=eigenvalues.sum(), noise_variance=0.1)
    np.testing.assert_allclose(found.eigenvalues, np.sort(eigenvalues)[::-1][:latents], atol=1e-14)


def test_an_operator_may_use_its_memory_again_and_change_what_it_is_given():
    memory = np.empty(3)

    def product(vector):
        memory[:] = vector.ravel() * [3.0, 2.0, 1.0]
        vector[...] = 0.0
        return memory

    found = optimum(LinearOperator((3, 3), matvec=product, dtype=float), 2, trace=6.0)
    np.testing.assert_allclose(found.eigenvalues, [3, 2], rtol=1e-14)
    assert found.noise_variance == pytest.approx(1.0)


@pytest.mark.parametrize("unit", [1e-90, 1e-24, 1e-12, 1e60])
def test_the_units_of_an_operator_do_not_matter(unit):
    for eigenvalues in (np.geomspace(9, 0.1, 300), np.repeat(np.linspace(3, 1, 20), 20)):
        latents = len(eigenvalues) // 10
        found = optimum(diagonal_operator(eigenvalues * unit), latents, trace=eigenvalues.sum() * unit)
        np.testing.assert_allclose(found.eigenvalues, np.sort(eigenvalues * unit)[::-1][:latents], rtol=1e-12)


@pytest.mark.parametrize(
    "eigenvalues", [np.r_[5.0, 4.0, 3.0, np.zeros(297)], np.geomspace(9, 0.1, 400), np.geomspace(9, 0.1, 40) * 1e-30]
)
def test_an_operator_of_single_numbers_says_that_its_digits_are_fewer(eigenvalues):
    stored = eigenvalues.astype(np.float32).astype(float)
    found = optimum(diagonal_operator(stored, np.float32), 5, trace=stored.sum())
    expected = optimum(stored, 5)
    assert found.noise_status == expected.noise_status
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues[:5], rtol=0, atol=found.resolution / 10)
    single = float(np.finfo(np.float32).eps)
    assert found.resolution == pytest.approx(len(stored) * single * stored[0], rel=1e-5)


def test_an_operator_of_a_million_variables():
    """S = diag(d) + u u^T, of which no matrix fits into memory."""
    size = 10**6
    diagonal, u = np.linspace(0.5, 1.5, size), np.zeros(size)
    u[:1000] = 0.3

    def product(vector):
        return diagonal * vector + u * (u @ vector)

    best = optimum(LinearOperator((size, size), matvec=product, dtype=float), 1, trace=size + 1000 * 0.09)
    assert best.eigenvalues[0] == pytest.approx(90.5, abs=0.01) and best.active_count == 1
    assert best.noise_variance == pytest.approx((size + 90 - best.eigenvalues[0]) / (size - 1), rel=1e-10)


MATRIX = np.diag([4.0, 2.0, 1.0, 0.5])
OPERATOR = aslinearoperator(MATRIX)
LARGE = aslinearoperator(sparse.diags(np.linspace(1, 2, 400)))


@pytest.mark.parametrize(
    ("covariance", "options", "said"),
    [
        (OPERATOR, {}, "trace must be given for an operator"),
        (MATRIX, {"trace": 7.5}, "trace is for a LinearOperator"),
        (OPERATOR, {"trace": -1.0}, "trace must be > 0"),
        (OPERATOR, {"trace": "all"}, "trace must be numeric"),
        (OPERATOR, {"trace": np.nan}, "trace must be finite"),
        (OPERATOR, {"trace": 3.0}, "trace must be the sum of all 4 eigenvalues"),
        (OPERATOR, {"trace": 30.0}, "trace must be the sum of all 4 eigenvalues"),
        (OPERATOR, {"trace": 7.6}, "trace must be the sum of all 4 eigenvalues of the covariance, 7.5, got 7.6"),
        (LARGE, {"trace": 900.0}, "trace must be the sum of all 400 eigenvalues"),
        (aslinearoperator(np.ones((3, 4))), {"trace": 1.0}, "covariance must be square, got an operator of 3 x 4"),
        (aslinearoperator(np.triu(np.ones((4, 4)))), {"trace": 4.0}, "covariance must be symmetric"),
        (aslinearoperator(np.full((4, 4), np.nan)), {"trace": 4.0}, "covariance must be real and finite"),
        (aslinearoperator(MATRIX * 1j), {"trace": 4.0}, "covariance must be real and finite"),
        (aslinearoperator(-MATRIX), {"trace": 4.0}, "no negative eigenvalue"),
        (aslinearoperator(sparse.diags(-np.linspace(1, 2, 400))), {"trace": 4.0}, "no negative eigenvalue"),
        (aslinearoperator(np.zeros((4, 4))), {"trace": 4.0}, "trace must be the sum of all 4 eigenvalues"),
        (aslinearoperator(sparse.csr_array((400, 400))), {"trace": 4.0}, "trace must be the sum of all 400"),
        (aslinearoperator(2 * sparse.eye(400)), {"trace": 800.001}, "eigenvalues of the covariance"),
    ],
)
def test_what_is_refused(covariance, options, said):
    with pytest.raises(ValueError) as caught:
        optimum(covariance, 2, **options)
    assert said in str(caught.value)


def test_what_needs_more_memory_than_there_is_says_how_much(monkeypatch):
    monkeypatch.setattr("theory.validation._memory", lambda: 10**6)
    with pytest.raises(ValueError, match=r"products of 300 observations needs 0.00134 GiB, this machine has 0.000931"):
        optimum(Moments.of(RNG.standard_normal((300, 301))[:, :301]), 2)
