"""Each prior: its density, samples, covariance, expected log density and symmetries, by independent routes."""

from __future__ import annotations

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm
from scipy.stats import t as student

from tests.cases import orthogonal
from theory.axes import plane_rotation
from theory.priors import ClusterPrior, GaussianPrior, SpikeSlabPrior, StudentPrior
from theory.priors.protocol import expectation_and_slopes

PRIORS = {
    "isotropic": GaussianPrior.isotropic(2, 1.7),
    "anisotropic": GaussianPrior.anisotropic([3.0, 0.4]),
    "from_pca": GaussianPrior.from_pca(np.diag([0.4, 2.0, 5.0]), 2),
    "block": GaussianPrior.block([[[2.0, 0.5], [0.5, 1.0]], [[0.3]]]),
    "two_level": GaussianPrior.two_level([[1.0], [-0.5]], 0.3),
    "student": StudentPrior(2.0, 2),
    "student_9": StudentPrior(9.0, 3),
    "spike_slab": SpikeSlabPrior(2),
    "spike_slab_3": SpikeSlabPrior(3, 0.3, 0.2),
    "clusters": ClusterPrior(),
    "wide_clusters": ClusterPrior(1.5, 0.4),
}
LOCKING = ["student", "student_9", "spike_slab", "spike_slab_3", "clusters", "wide_clusters"]
priors = pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)


def reference_log_density(prior, latents):
    """log p(z) from scipy.stats."""
    match prior:
        case GaussianPrior():
            return multivariate_normal(np.zeros(prior.latent_dim), prior.covariance).logpdf(latents)
        case StudentPrior():
            return student(prior.degrees_of_freedom).logpdf(latents).sum(axis=-1)
        case SpikeSlabPrior():
            g = prior.spike_probability
            return np.log((1 - g) * norm.pdf(latents) + g * norm(0, prior.spike_deviation).pdf(latents)).sum(axis=-1)
        case ClusterPrior():
            modes = prior.distance * np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])
            densities = [multivariate_normal(mode, prior.variance * np.eye(2)).pdf(latents) for mode in modes]
            return np.log(np.mean(densities, axis=0))


@priors
def test_density(prior):
    latents = np.random.default_rng(0).standard_normal((50, prior.latent_dim))
    np.testing.assert_allclose(prior.log_density(latents), reference_log_density(prior, latents), rtol=1e-10)
    assert prior.log_density(latents[0]) == pytest.approx(prior.log_density(latents)[0], rel=1e-12)


@priors
def test_samples_have_the_density(prior):
    """Tail probabilities of |z|^2 and of z_1, against importance weights that use the density alone."""
    draws, rng = 200_000, np.random.default_rng(1)
    samples = prior.sample(draws, rng)
    assert samples.shape == (draws, prior.latent_dim)
    # Proposals: heavy-tailed, half of them narrow, so that no density is much larger than theirs.
    narrow = rng.random((draws, 1)) < 0.5
    proposals = rng.standard_t(1.5, (draws, prior.latent_dim)) * np.where(narrow, 0.1, 1.0)
    log_wide = student(1.5).logpdf(proposals).sum(axis=1)
    log_narrow = student(1.5, 0, 0.1).logpdf(proposals).sum(axis=1)
    weights = np.exp(prior.log_density(proposals) - np.logaddexp(log_wide, log_narrow) + np.log(2))
    for event in (lambda z: z[:, 0] > 0.3, lambda z: np.abs(z).max(axis=1) < 0.5, lambda z: z[:, 0] > z[:, 1] + 1):
        estimates = event(samples).astype(float), weights * event(proposals)
        error = np.sqrt(sum(one.var() / draws for one in estimates))
        assert abs(estimates[0].mean() - estimates[1].mean()) < 5 * error


@pytest.mark.parametrize("prior", [prior for name, prior in PRIORS.items() if name != "student"], ids=str)
def test_covariance(prior):
    draws = 400_000
    samples = prior.sample(draws, np.random.default_rng(2))
    products = samples[:, :, None] * samples[:, None, :]
    error = products.std(axis=0) / np.sqrt(draws)
    assert np.all(np.abs(products.mean(axis=0) - prior.covariance) < 5 * error)


def test_a_student_prior_has_no_variance_up_to_two_degrees():
    np.testing.assert_array_equal(StudentPrior(2.0, 2).covariance, [[np.inf, 0], [0, np.inf]])
    np.testing.assert_allclose(StudentPrior(2.5, 2).covariance, 5 * np.eye(2))


def by_adaptive_quadrature(log_density, mean, variance, features):
    """E log p(u), u ~ N(mean, variance), by scipy between break points at the features and the quantiles."""
    deviation = np.sqrt(variance)
    points = [mean + k * deviation for k in range(-12, 13)]
    points = sorted({*points, *(feature for feature in features if points[0] < feature < points[-1])})
    return sum(
        quad(lambda u: norm.pdf(u, mean, deviation) * log_density(u), low, high, epsabs=1e-12, epsrel=1e-12, limit=200)[
            0
        ]
        for low, high in pairwise(points)
    )


@pytest.mark.parametrize("variance", [1e-5, 0.02, 1.0, 300.0])
@pytest.mark.parametrize("mean", [0.0, 0.13, -2.0])
@pytest.mark.parametrize(
    "prior",
    [
        StudentPrior(2.0, 1),
        StudentPrior(0.2, 1),
        SpikeSlabPrior(1),
        SpikeSlabPrior(1, 0.95, 0.001),
        SpikeSlabPrior(1, 0.2, 0.6),
    ],
    ids=str,
)
def test_expected_log_density_of_a_marginal(prior, mean, variance):
    width = prior.spike_deviation if isinstance(prior, SpikeSlabPrior) else np.sqrt(prior.degrees_of_freedom)
    features = np.concatenate([-np.geomspace(20 * width, width / 5, 12), [0], np.geomspace(width / 5, 20 * width, 12)])
    exact = by_adaptive_quadrature(prior.marginal_log_density, mean, variance, features)
    assert prior.expected_log_density([mean], [[variance]]) == pytest.approx(exact, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("variance", [1e-24, 1e-32, 1e-40, 0.0])
def test_a_code_that_is_almost_a_point_has_the_density_there(variance):
    """Nodes between ends that round to one number would lose the mass: -2.16 at 1e-32, 0 at 1e-40."""
    prior = StudentPrior(5.0, 1)
    assert prior.expected_log_density([1.0], [[variance]]) == pytest.approx(student(5).logpdf(1.0), rel=1e-14)


def test_a_code_far_from_a_heavy_tailed_prior():
    """Over a deviation of 1 the log density at 1e15 is constant to 1e-30."""
    exact = student(5).logpdf(1e15)
    assert StudentPrior(5.0, 1).expected_log_density([1e15], [[1.0]]) == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize(("distance", "variance"), [(1e3, 1e-4), (1e4, 1e-6), (1e5, 1e-8)])
def test_a_code_that_is_one_of_the_clusters(distance, variance):
    """The other clusters are out of sight, so that E log p = -log(8 pi v) - 1: squares of d^2 / v would cancel."""
    found = ClusterPrior(distance, variance).expected_log_density([distance, 0.0], variance * np.eye(2))
    assert found == pytest.approx(-np.log(8 * np.pi * variance) - 1, rel=1e-13)


@pytest.mark.parametrize("nu", [1e5, 1e6, 1e10, 1e12, 1e15, 1e50])
def test_a_student_density_of_many_degrees(nu):
    """At zero -log(2 pi)/2 - 1/(4 nu) + O(nu^-3), by Stirling's series: a difference of gammaln is nats off."""
    exact = -np.log(2 * np.pi) / 2 - 1 / (4 * nu)
    assert StudentPrior(nu, 1).log_density([0.0]) == pytest.approx(exact, abs=1e-14)


def marginal_in_many_digits(prior):
    """log density of one latent for mpmath (of z_1 + z_2, so that two make log p, for clusters), and where it bends."""
    log, exp, mpf = mpmath.log, mpmath.exp, mpmath.mpf
    if isinstance(prior, StudentPrior):
        nu = mpf(prior.degrees_of_freedom)
        at_zero = mpmath.loggamma((nu + 1) / 2) - mpmath.loggamma(nu / 2) - log(nu * mpmath.pi) / 2
        bends = [mpmath.sqrt(nu) * mpf(3) ** power for power in range(-1, 25)]
        return (lambda u: at_zero - (nu + 1) / 2 * mpmath.log1p(u**2 / nu)), bends
    if isinstance(prior, SpikeSlabPrior):
        g, spike = mpf(prior.spike_probability), mpf(prior.spike_deviation)
        bends = [spike * step for step in (0.5, 1, 2, 3, 4, 5, 6, 8, 12)]
        slab = -log(2 * mpmath.pi) / 2
        return lambda u: slab + log((1 - g) * exp(-(u**2) / 2) + g / spike * exp(-(u**2) / spike**2 / 2)), bends
    d, v = mpf(prior.distance), mpf(prior.variance)
    bends = [v / d * step for step in (1, 3, 7, 15, 30, 60)]
    return (
        lambda u: -((abs(u) - d) ** 2) / (4 * v) + mpmath.log1p(exp(-abs(u) * d / v)) - log(8 * mpmath.pi * v) / 2,
        bends,
    )


def in_many_digits(prior, mean, variance):
    """E log p of one latent (for clusters: of z_1 + z_2) by tanh-sinh in 25 digits, between where it bends."""
    function, bends = marginal_in_many_digits(prior)
    mean, deviation = mpmath.mpf(mean), mpmath.sqrt(mpmath.mpf(variance))
    places = [(sign * bend - mean) / deviation for bend in [*bends, 0] for sign in (1, -1)]
    ends = sorted({mpmath.mpf(k) for k in (-12, -4, -1, 0, 1, 4, 12)} | {place for place in places if abs(place) < 12})
    return float(mpmath.quad(lambda e: function(mean + deviation * e) * mpmath.npdf(e), ends, maxdegree=5))


@pytest.mark.parametrize(
    ("prior", "mean", "variance"),
    [
        (StudentPrior(0.1, 1), 0.0, 1e20),
        (StudentPrior(3.0, 1), 1e-3, 1e-12),
        (StudentPrior(1e12, 1), 0.5, 4.0),
        (SpikeSlabPrior(1, 0.8, 1e-6), 0.3, 2.0),
        (SpikeSlabPrior(1, 0.3, 1e-3), 2e-3, 1e-6),
        (SpikeSlabPrior(1, 0.8, 1e-4), 0.0, 1e30),
        (ClusterPrior(1e5, 1e4), 1e5, 1e10),
        (ClusterPrior(1.0, 1e-8), 0.9, 0.3),
        (ClusterPrior(1e-5, 1e-8), 1e-4, 1e-9),
    ],
    ids=str,
)
def test_expected_log_density_in_many_digits(prior, mean, variance):
    with mpmath.workdps(25):
        exact = in_many_digits(prior, mean, variance)
        if isinstance(prior, ClusterPrior):  # z_1 + z_2 is N(mean, variance), z_1 - z_2 is N(0, variance)
            exact += in_many_digits(prior, 0.0, variance)
            found = prior.expected_log_density([mean / 2, mean / 2], variance / 2 * np.eye(2))
        else:
            found = prior.expected_log_density([mean], [[variance]])
    assert found == pytest.approx(exact, rel=1e-12, abs=1e-12)


class Plain:
    """A prior of a user's own: the same laws, but with the three members of the protocol alone."""

    def __init__(self, prior):
        self.latent_dim, self.prior = prior.latent_dim, prior

    def log_density(self, latents):
        return self.prior.log_density(latents)

    def expected_log_density(self, mean, covariance):
        return self.prior.expected_log_density(mean, covariance)


@priors
@pytest.mark.parametrize("scale", [1e-4, 0.05, 1.0, 30.0])
def test_slopes_of_the_expected_log_density(prior, scale):
    """Against central differences, of codes narrower and wider than every feature, two at a time."""
    rng, size = np.random.default_rng(10), prior.latent_dim
    roots = scale * (np.eye(size) + 0.4 * rng.standard_normal((2, size, size)))
    means, covariances = scale * rng.standard_normal((2, size)), roots @ roots.swapaxes(1, 2)
    values, *slopes = prior.expected_log_density_and_slopes(means, covariances)
    expected, *differences = expectation_and_slopes(Plain(prior), means, covariances)
    np.testing.assert_allclose(values, expected, rtol=1e-13)
    for power, found, by_differences in zip((1, 2), slopes, differences, strict=True):
        unit = scale**power
        rounding = 1e-9 * np.abs(values).max() + 1e-8 * np.abs(by_differences * unit).max()
        np.testing.assert_allclose(found * unit, by_differences * unit, atol=rounding)


@pytest.mark.parametrize("shape", [(0,), (2, 0, 3), (2, 3)])
def test_stacks_of_codes_of_any_shape(shape):
    """Also of none at all; each entry is that of its code alone."""
    rng = np.random.default_rng(0)
    means, root = rng.standard_normal((*shape, 2)), rng.standard_normal((*shape, 2, 2))
    covariances = root @ root.mT
    for prior in (GaussianPrior.anisotropic([2.0, 0.1]), StudentPrior(3.0, 2), SpikeSlabPrior(2), ClusterPrior()):
        values, to_means, to_covariances = prior.expected_log_density_and_slopes(means, covariances)
        assert (values.shape, to_means.shape, to_covariances.shape) == (shape, means.shape, root.shape)
        alone = map(prior.expected_log_density, means.reshape(-1, 2), covariances.reshape(-1, 2, 2))
        np.testing.assert_allclose(values.ravel(), list(alone), rtol=1e-12)
    empty = SpikeSlabPrior(0).expected_log_density_and_slopes(np.zeros((3, 0)), np.zeros((3, 0, 0)))
    np.testing.assert_array_equal(empty[0], np.zeros(3))


def test_gauss_hermite_would_miss_the_spike():
    """Why the quadrature is transformed: 64 Gauss-Hermite nodes are wrong in the third digit."""
    prior = SpikeSlabPrior(1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    hermite = weights @ prior.marginal_log_density(nodes) / np.sqrt(2 * np.pi)
    assert abs(hermite - prior.expected_log_density([0.0], [[1.0]])) > 1e-3


@priors
@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_expected_log_density_by_monte_carlo(prior, scale):
    rng, draws = np.random.default_rng(4), 200_000
    root = scale * rng.standard_normal((prior.latent_dim, prior.latent_dim))
    mean = scale * rng.standard_normal(prior.latent_dim)
    values = prior.log_density(mean + rng.standard_normal((draws, prior.latent_dim)) @ root.T)
    exact = prior.expected_log_density(mean, root @ root.T)
    assert abs(values.mean() - exact) < 5 * values.std() / np.sqrt(draws)


@pytest.mark.parametrize("prior", [ClusterPrior(), ClusterPrior(0.7, 0.2)], ids=str)
def test_clusters_are_a_product_along_the_diagonals(prior):
    """A correlated code, against adaptive quadrature over the two diagonals from the four-mode density itself."""
    mean, covariance = np.array([0.3, -0.2]), np.array([[0.8, 0.3], [0.3, 0.5]])
    turn = plane_rotation(2, np.pi / 4)
    along, spread = turn @ mean, np.diagonal(turn @ covariance @ turn.T)
    at_centre = prior.log_density(np.zeros(2))
    exact = 0.0
    for axis in range(2):

        def profile(u, axis=axis):
            return prior.log_density(u * turn[axis]) - at_centre / 2

        features = np.linspace(-3, 3, 61)
        exact += by_adaptive_quadrature(profile, along[axis], spread[axis], features)
    assert prior.expected_log_density(mean, covariance) == pytest.approx(exact, rel=1e-10)
    # A code exactly at a point has the density there.
    point = prior.expected_log_density(mean, np.zeros((2, 2)))
    assert point == pytest.approx(float(prior.log_density(mean)), rel=1e-12)


@priors
def test_symmetries_keep_the_density(prior):
    rng = np.random.default_rng(6)
    latents = rng.standard_normal((20, prior.latent_dim))
    seen = []
    for _ in range(10):
        symmetry = prior.symmetries(rng)
        seen.append(symmetry)
        assert prior.is_symmetry(symmetry)
        np.testing.assert_allclose(prior.log_density(latents @ symmetry.T), prior.log_density(latents), rtol=1e-9)
    assert len({one.tobytes() for one in seen}) > 2


@priors
def test_membership_tells_what_keeps_the_density(prior):
    rng = np.random.default_rng(7)
    size = prior.latent_dim
    latents = rng.standard_normal((20, size))
    candidates = [
        np.eye(size),
        -np.eye(size),
        orthogonal(size, rng),
        plane_rotation(size, np.pi / 4),
        plane_rotation(size, np.pi / 2),
        1.01 * np.eye(size),
        np.diag(np.arange(1.0, size + 1)),
        np.eye(size)[::-1],
        prior.symmetries(rng) + 1e-4,
        np.ones((size, size)),
    ]
    for candidate in candidates:
        keeps = np.allclose(prior.log_density(latents @ candidate.T), prior.log_density(latents), rtol=1e-9)
        assert prior.is_symmetry(candidate) == keeps


@pytest.mark.parametrize("prior", [PRIORS[name] for name in LOCKING], ids=LOCKING)
def test_priors_that_are_not_gaussian_keep_signed_permutations_alone(prior):
    symmetry = prior.symmetries(np.random.default_rng(8))
    np.testing.assert_array_equal(np.sort(np.abs(symmetry), axis=1)[:, -1], 1)
    assert np.count_nonzero(symmetry) == prior.latent_dim
    assert not prior.is_symmetry(plane_rotation(prior.latent_dim, 0.01))


@pytest.mark.parametrize("condition", [1.0, 1e10, 1e13])
def test_gaussian_priors_know_their_symmetries_at_any_condition(condition):
    """Rounding of a member moves L^-1 M L by as much as eps times the condition; a scaling is still told apart."""
    rng = np.random.default_rng(11)
    basis = orthogonal(3, rng)
    variances = np.geomspace(1, condition, 3)
    for covariance in (np.diag(variances), 1e-9 * np.diag(variances), (basis * variances) @ basis.T):
        prior = GaussianPrior((covariance + covariance.T) / 2)
        for _ in range(5):
            assert prior.is_symmetry(prior.symmetries(rng))
        assert not prior.is_symmetry(1.001 * np.eye(3))
        assert not prior.is_symmetry(np.diag([1.01, 1.0, 1.0]))
    assert GaussianPrior.anisotropic(variances).is_symmetry(plane_rotation(3, 0.3)) == (condition == 1)


def test_the_shapes_of_gaussian_priors():
    np.testing.assert_allclose(PRIORS["from_pca"].covariance, np.diag([5.0, 2.0]))
    np.testing.assert_allclose(PRIORS["block"].covariance, [[2, 0.5, 0], [0.5, 1, 0], [0, 0, 0.3]])
    # Two levels, by ancestral sampling.
    rng, draws = np.random.default_rng(9), 400_000
    upper = rng.standard_normal((draws, 1))
    lower = upper @ [[1.0, -0.5]] + np.sqrt(0.3) * rng.standard_normal((draws, 2))
    np.testing.assert_allclose(
        np.cov(np.hstack([upper, lower]), rowvar=False), PRIORS["two_level"].covariance, atol=0.015
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GaussianPrior(np.zeros((2, 2))), "must be positive definite"),
        (lambda: GaussianPrior.anisotropic([1.0, 0.0]), "variances must be > 0"),
        (lambda: GaussianPrior.from_pca(np.diag([1.0, 0.0]), 2), "latent_dim must be at most the rank"),
        (lambda: GaussianPrior.two_level(np.eye(2), 0.0), "noise_variance must be > 0"),
        (lambda: StudentPrior(0.0, 2), "degrees_of_freedom must be > 0"),
        (lambda: StudentPrior(2.0, 1.5), "latent_dim must be a whole number"),
        (lambda: SpikeSlabPrior(2, 1.0), "spike_probability must be below 1"),
        (lambda: SpikeSlabPrior(2, 0.5, 1.5), "spike_deviation must be below 1"),
        (lambda: ClusterPrior(0.0), "distance must be > 0"),
        (lambda: ClusterPrior(1e60), "distance must be between 1e-50 and 1e50"),
        (lambda: GaussianPrior(np.eye(2) * 1e-200), "covariance must be positive definite with variances between"),
        (lambda: SpikeSlabPrior(40).components(), "latent_dim must be <= 30"),
        (lambda: StudentPrior(2.0, 2**31), "latent_dim = 2147483648 needs"),
        (lambda: StudentPrior(1e-8, 2).sample(5, 0), "degrees_of_freedom must be larger to draw latents, got 1e-08"),
        (lambda: ClusterPrior().sample(2.0, 0), "n must be a whole number"),
        (lambda: ClusterPrior().sample(2, None), "rng must be a numpy.random.Generator or a seed"),
        (lambda: StudentPrior(2.0, 1).marginal_log_density([1j]), "values must be real"),
        (lambda: ClusterPrior().log_density([[np.nan, 0.0]]), "latents must be finite"),
        (lambda: ClusterPrior().log_density(np.zeros(3)), r"latents must have shape \(..., 2\)"),
        (lambda: ClusterPrior().expected_log_density([0.0], np.eye(2)), "mean must have length 2"),
        (lambda: StudentPrior(2.0, 2).is_symmetry(np.eye(3)), "matrix must be 2 x 2"),
    ],
)
def test_misuse_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
