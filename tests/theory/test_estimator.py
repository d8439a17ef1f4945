"""The scikit-learn transformer: scikit-learn's own checks, PCA where they overlap, each method by another formula."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from theory import Moments, optimum
from theory.estimator import LinearBetaVAE

RNG = np.random.default_rng(0)
DATA = RNG.standard_normal((300, 5)) @ (RNG.standard_normal((5, 5)) * [3.0, 2.0, 1.0, 0.4, 0.3]) + 7


def test_scikit_learns_checks():
    """None fails, and none is skipped that is not skipped for PCA too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = (check_estimator(one, on_fail=None, on_skip=None) for one in (LinearBetaVAE(), PCA()))
    assert [check["check_name"] for check in ours if check["status"] == "failed"] == []
    skipped = [{check["check_name"] for check in checks if check["status"] == "skipped"} for checks in (ours, theirs)]
    assert skipped[0] <= skipped[1]
    assert sum(check["status"] == "passed" for check in ours) > 40


@pytest.mark.parametrize("latents", [1, 3])
def test_at_beta_one_it_is_probabilistic_pca(latents):
    """PCA divides by N - 1: with its data scaled accordingly axes, noise, covariance and score are the same."""
    pca = PCA(latents).fit((DATA - DATA.mean(axis=0)) * np.sqrt(299 / 300) + DATA.mean(axis=0))
    vae = LinearBetaVAE(latents).fit(DATA)
    assert vae.noise_variance_ == pytest.approx(pca.noise_variance_, rel=1e-10)
    np.testing.assert_allclose(vae.get_covariance(), pca.get_covariance(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(vae.score_samples(DATA), pca.score_samples(DATA), rtol=1e-9)
    assert vae.score(DATA) == pytest.approx(pca.score(DATA), rel=1e-10)
    np.testing.assert_allclose(vae.mean_, pca.mean_, rtol=1e-12)
    lengths = np.linalg.norm(vae.components_, axis=1)
    cosines = np.abs(np.sum(vae.components_ * pca.components_, axis=1)) / lengths
    np.testing.assert_allclose(cosines, 1, rtol=1e-10)
    codes, projections = vae.transform(DATA), pca.transform(DATA)
    shrunken = projections * np.sqrt(pca.explained_variance_ - pca.noise_variance_) / pca.explained_variance_
    np.testing.assert_allclose(np.abs(codes), np.abs(shrunken), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("options", [{"beta": 1.5}, {"beta": 2.0, "noise_variance": 0.7}, {"posterior": "full"}])
def test_the_optimum_and_its_methods(options):
    fitted = LinearBetaVAE(2, **options).fit(DATA)
    best = optimum(Moments.of(DATA), 2, **options)
    np.testing.assert_array_equal(fitted.components_, best.vae.decoder.T)
    assert fitted.optimum_.loss == best.loss and fitted.n_samples_ == 300
    model = multivariate_normal(
        DATA.mean(axis=0), best.vae.decoder @ best.vae.decoder.T + best.noise_variance * np.eye(5)
    )
    np.testing.assert_allclose(fitted.score_samples(DATA[:7]), model.logpdf(DATA[:7]), rtol=1e-10)
    codes = fitted.transform(DATA)
    np.testing.assert_allclose(codes, (DATA - DATA.mean(axis=0)) @ best.vae.encoder.T, atol=1e-12)
    np.testing.assert_allclose(
        fitted.inverse_transform(codes), codes @ best.vae.decoder.T + DATA.mean(axis=0), atol=1e-12
    )
    assert fitted.get_feature_names_out().tolist() == ["linearbetavae0", "linearbetavae1"]


def test_samples_have_the_covariance_of_the_model():
    fitted = LinearBetaVAE(2, beta=1.2).fit(DATA)
    drawn = fitted.sample(200_000, random_state=0)
    np.testing.assert_allclose(
        np.cov(drawn, rowvar=False), fitted.get_covariance(), atol=0.02 * np.trace(np.cov(DATA.T))
    )
    np.testing.assert_array_equal(fitted.sample(3, random_state=1), fitted.sample(3, random_state=1))


def test_parts_are_as_good_as_the_whole():
    far = DATA + 1e8
    whole, parts = LinearBetaVAE(2).fit(far), LinearBetaVAE(2)
    for part in np.array_split(far, [1 + 40, 42, 200]):
        parts.partial_fit(part)
    assert parts.n_samples_ == 300
    np.testing.assert_allclose(parts.get_covariance(), whole.get_covariance(), rtol=1e-7, atol=1e-7)
    assert parts.noise_variance_ == pytest.approx(whole.noise_variance_, rel=1e-7)


def test_in_a_pipeline_and_a_search_over_beta():
    pipeline = make_pipeline(StandardScaler(), LinearBetaVAE(2))
    assert pipeline.fit_transform(DATA).shape == (300, 2)
    search = GridSearchCV(pipeline, {"linearbetavae__beta": [0.5, 1.0, 2.0]}, cv=3).fit(DATA)
    assert search.best_params_["linearbetavae__beta"] in (0.5, 1.0)
    names = pipeline.set_output(transform="default").get_feature_names_out()
    assert len(names) == 2
    assert clone(pipeline)[-1].get_params() == LinearBetaVAE(2).get_params()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_components": 5}, r"noise_variance runs to zero \(rank <= latents, beta < D/rank\)|beta"),
        ({"n_components": 5, "beta": 0.5}, "take fewer latents"),
        ({"n_components": 2.5}, "n_components must be a number"),
        ({"n_components": -1}, "latent_dim must be"),
        ({"beta": 0.0}, "beta must be"),
        ({"beta": "1"}, "beta must be a number"),
        ({"noise_variance": -1.0}, "noise_variance must be"),
        ({"posterior": "block"}, "posterior must be"),
        ({"solver": "em"}, "solver must be"),
    ],
)
def test_what_does_not_fit_is_refused(options, words):
    if options == {"n_components": 5}:  # at beta = D / rank the noise is not determined, and the limit is taken
        assert LinearBetaVAE(**options).fit(DATA).optimum_.noise_status == "undetermined"
        return
    with pytest.raises(ValueError, match=words):
        LinearBetaVAE(**options).fit(DATA)


WIDE = RNG.standard_normal((30, 80)) * np.geomspace(4, 0.5, 80) + 2
SPARSE = np.where(RNG.random((120, 30)) < 0.2, RNG.standard_normal((120, 30)) + 1, 0.0)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_array])
@pytest.mark.parametrize("data", [SPARSE, SPARSE.T], ids=["tall", "wide"])
def test_sparse_data_are_worth_the_same_as_dense(kind, data):
    dense, fitted = LinearBetaVAE(3, beta=1.1).fit(data), LinearBetaVAE(3, beta=1.1).fit(kind(data))
    np.testing.assert_allclose(fitted.components_, dense.components_, atol=1e-10)
    np.testing.assert_allclose(fitted.transform(kind(data)), dense.transform(data), atol=1e-10)
    np.testing.assert_allclose(fitted.score_samples(kind(data)), dense.score_samples(data), rtol=1e-10)
    parts = LinearBetaVAE(3, beta=1.1)
    for part in np.array_split(data, [20]):
        parts.partial_fit(kind(part))
    np.testing.assert_allclose(parts.components_, dense.components_, atol=1e-9)


def test_sparse_data_are_scored_some_at_a_time(monkeypatch):
    fitted = LinearBetaVAE(2).fit(SPARSE)
    monkeypatch.setattr("theory.estimator.FILLED_NUMBERS", 100)
    np.testing.assert_allclose(fitted.score_samples(sparse.csr_array(SPARSE)), fitted.score_samples(SPARSE), rtol=1e-12)


def test_wide_data_at_beta_one_are_probabilistic_pca():
    pca = PCA(3).fit((WIDE - WIDE.mean(axis=0)) * np.sqrt(29 / 30) + WIDE.mean(axis=0))
    vae = LinearBetaVAE(3).fit(WIDE)
    rest = np.linalg.eigvalsh(np.cov(WIDE.T, bias=True))[:-3].sum() / 77
    assert vae.noise_variance_ == pytest.approx(rest, rel=1e-10)
    # PCA divides the variance that is left by min(N, D) - K, as if the data had no more dimensions.
    assert pca.noise_variance_ == pytest.approx(rest * 77 / 27, rel=1e-10)
    lengths = np.linalg.norm(vae.components_, axis=1)
    cosines = np.abs(np.sum(vae.components_ * pca.components_, axis=1)) / lengths
    np.testing.assert_allclose(cosines, 1, rtol=1e-10)
    assert "covariance" not in vars(vae.moments_)


def test_float32_data_are_fitted_without_a_copy():
    single = DATA.astype(np.float32)
    np.testing.assert_allclose(
        LinearBetaVAE(2).fit(single).components_, LinearBetaVAE(2).fit(single.astype(float)).components_, rtol=1e-12
    )
    assert LinearBetaVAE(2).fit(single).transform(single).dtype == np.float64


def test_what_would_not_fit_into_memory_is_refused(monkeypatch):
    fitted = LinearBetaVAE(2).fit(WIDE)
    monkeypatch.setattr("theory.validation._memory", lambda: 10**4)
    with pytest.raises(ValueError, match=r"covariance of 80 variables needs 4.77e-05 GiB"):
        fitted.get_covariance()
