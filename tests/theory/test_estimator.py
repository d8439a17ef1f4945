"""The scikit-learn transformer: scikit-learn's own checks, PCA where they overlap, each method by another formula."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from theory import Moments, optimum
from theory.estimator import LinearBetaVAE

RNG = np.random.default_rng(0)
DATA = RNG.standard_normal((300, 5)) @ (RNG.standard_normal((5, 5)) * [3.0, 2.0, 1.0, 0.4, 0.3]) + 7
WIDE = RNG.standard_normal((30, 80)) * np.geomspace(4, 0.5, 80) + 2
SPARSE = np.where(RNG.random((120, 30)) < 0.2, RNG.standard_normal((120, 30)) + 1, 0.0)
FITTED = LinearBetaVAE(2, beta=1.2).fit(DATA)
CODES = FITTED.transform(DATA)
METHODS = ("fit", "partial_fit", "fit_transform", "transform", "inverse_transform", "score", "score_samples")


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
    cosines = np.sum(vae.components_ * pca.components_, axis=1) / lengths
    np.testing.assert_allclose(cosines, 1, rtol=1e-10)  # the signs are the same too
    codes, projections = vae.transform(DATA), pca.transform(DATA)
    shrunken = projections * np.sqrt(pca.explained_variance_ - pca.noise_variance_) / pca.explained_variance_
    np.testing.assert_allclose(codes, shrunken, rtol=1e-8, atol=1e-10)


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


@pytest.mark.parametrize("sizes", [(1,) * 12 + (288,), (1, 299), (2, 2, 296), (299, 1)])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_no_part_is_lost_that_has_no_optimum_alone(sizes, kind):
    parts, first = LinearBetaVAE(3, beta=1.1), 0
    for size in sizes:
        assert parts.partial_fit(kind(DATA[first : first + size])) is parts
        first += size
        assert parts.n_samples_ == parts.moments_.count == first
    whole = LinearBetaVAE(3, beta=1.1).fit(DATA)
    np.testing.assert_allclose(parts.components_, whole.components_, rtol=1e-10, atol=1e-10)
    assert parts.noise_variance_ == pytest.approx(whole.noise_variance_, rel=1e-10)
    np.testing.assert_allclose(parts.explained_variance_ratio_, whole.explained_variance_ratio_, rtol=1e-10)


@pytest.mark.parametrize("noise", ["learned", 0.5])
@pytest.mark.parametrize("method", (*METHODS[3:], "get_covariance", "sample"))
def test_one_observation_has_no_model(method, noise):
    model = LinearBetaVAE(2, noise_variance=noise).partial_fit(DATA[:1])
    arguments = {"get_covariance": [], "sample": [], "inverse_transform": [CODES]}.get(method, [DATA])
    with pytest.raises(NotFittedError, match="a model needs two observations or more, got one"):
        getattr(model, method)(*arguments)
    with pytest.raises(NotFittedError):
        model.get_feature_names_out()
    read = pickle.loads(pickle.dumps(model)).partial_fit(DATA[1:])
    whole = LinearBetaVAE(2, noise_variance=noise).fit(DATA)
    np.testing.assert_allclose(read.get_covariance(), whole.get_covariance(), rtol=1e-10, atol=1e-10)


def test_a_model_of_some_data_is_not_shown_as_one_of_all():
    """The noise runs to zero with a smaller beta: the part is kept, and the model before it is gone."""
    model = LinearBetaVAE(5, beta=1.5).partial_fit(DATA[:200])
    model.set_params(beta=0.5).partial_fit(DATA[200:])
    shown = {name for name in vars(model) if name.endswith("_")}
    assert shown == {"moments_", "n_samples_", "n_features_in_"}
    assert model.n_samples_ == 300
    with pytest.raises(NotFittedError, match=r"noise_variance runs to zero .* pass more to partial_fit, or, before"):
        model.transform(DATA)
    with pytest.raises(NotFittedError):
        model.get_feature_names_out()


@pytest.mark.parametrize(
    ("parameters", "part"),
    [({"n_components": 0.95}, DATA), ({"beta": -1.0}, DATA), ({}, DATA * np.nan), ({}, DATA[:, :3]), ({}, DATA * 1e60)],
)
def test_a_part_that_is_refused_changes_nothing(parameters, part):
    model = LinearBetaVAE(2).partial_fit(DATA[:200])
    before = dict(vars(model), **parameters)
    with pytest.raises(ValueError, match=r"X|beta|n_components"):
        model.set_params(**parameters).partial_fit(part)
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())
    model.set_params(n_components=2, beta=1.0).partial_fit(DATA[200:])
    np.testing.assert_allclose(model.get_covariance(), LinearBetaVAE(2).fit(DATA).get_covariance(), rtol=1e-10)


def test_a_fit_that_is_refused_leaves_no_model():
    for data in (DATA * np.nan, np.ones((9, 4)), DATA[:1]):
        model = LinearBetaVAE(2).fit(DATA)
        with pytest.raises(ValueError, match=r"NaN|noise_variance|minimum of 2"):
            model.fit(data)
        with pytest.raises(NotFittedError):
            model.transform(DATA)
        assert model.partial_fit(DATA).n_samples_ == 300


def test_a_fit_begins_anew_and_a_part_goes_on_after_it():
    model = LinearBetaVAE(2).partial_fit(DATA).fit(DATA[:100]).partial_fit(DATA[100:])
    assert model.n_samples_ == 300
    np.testing.assert_allclose(model.components_, LinearBetaVAE(2).fit(DATA).components_, rtol=1e-10, atol=1e-12)


def test_codes_of_every_kind_are_decoded():
    wanted = CODES @ FITTED.components_ + FITTED.mean_
    for codes in (
        CODES.tolist(),
        sparse.csr_array(CODES),
        sparse.coo_matrix(CODES),
        np.asfortranarray(CODES),
    ):
        found = FITTED.inverse_transform(codes)
        assert type(found) is np.ndarray
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_codes_that_do_not_fit_are_refused():
    for codes in (DATA, CODES[:, :1], sparse.csr_array(DATA)):
        with pytest.raises(ValueError, match=r"X must have 2 columns, one for each latent, got [15]; pass codes"):
            FITTED.inverse_transform(codes)


def test_a_frame_of_codes_keeps_their_order(pandas):
    for names in (FITTED.get_feature_names_out(), ["first", "second"], [0, 1]):
        found = FITTED.inverse_transform(pandas.DataFrame(CODES, columns=names))
        np.testing.assert_array_equal(found, FITTED.inverse_transform(CODES))
    many = LinearBetaVAE(12, noise_variance=0.1).fit(WIDE)  # as text, the name of latent 10 comes before that of 2
    codes = pandas.DataFrame(many.transform(WIDE), columns=many.get_feature_names_out())
    np.testing.assert_allclose(many.inverse_transform(codes), many.inverse_transform(codes.to_numpy()), rtol=1e-14)
    with pytest.raises(ValueError, match="X must have its columns in the order of the latents"):
        many.inverse_transform(codes[sorted(codes.columns)])


@pytest.mark.parametrize("beta", [1.0, 1.7, 50.0])
@pytest.mark.parametrize("name", ["tall", "wide", "sparse"])
def test_variances_are_those_of_pca(name, beta):
    data = {"tall": DATA, "wide": WIDE, "sparse": SPARSE}[name]
    pca = PCA(4).fit(data)
    vae = LinearBetaVAE(4, beta=beta).fit(sparse.csr_array(data) if name == "sparse" else data)
    count = len(data)
    np.testing.assert_allclose(vae.explained_variance_, (count - 1) / count * pca.explained_variance_, rtol=1e-10)
    np.testing.assert_allclose(vae.explained_variance_ratio_, pca.explained_variance_ratio_, rtol=1e-10)
    np.testing.assert_allclose(vae.singular_values_, pca.singular_values_, rtol=1e-10)


def test_variances_of_more_latents_than_variables_and_of_constant_data():
    vae = LinearBetaVAE(7, noise_variance=0.1).fit(DATA)
    values = np.linalg.eigvalsh(np.cov(DATA.T, bias=True))[::-1]
    np.testing.assert_allclose(vae.explained_variance_, [*values, 0, 0], rtol=1e-10)
    assert vae.explained_variance_ratio_.sum() == pytest.approx(1, rel=1e-12)
    constant = LinearBetaVAE(2, noise_variance=0.1).fit(np.ones((4, 3)))
    np.testing.assert_array_equal(constant.explained_variance_, 0)
    assert np.isnan(constant.explained_variance_ratio_).all()


def test_data_frames_go_in_and_come_out(pandas):
    frame = pandas.DataFrame(DATA, columns=list("abcde"), index=range(10, 310))
    model = LinearBetaVAE(2, beta=1.2).set_output(transform="pandas").fit(frame)
    codes = model.transform(frame)
    assert codes.columns.tolist() == model.get_feature_names_out().tolist() == ["linearbetavae0", "linearbetavae1"]
    assert codes.index.equals(frame.index)
    np.testing.assert_array_equal(codes, CODES)
    np.testing.assert_allclose(model.inverse_transform(codes), FITTED.inverse_transform(CODES), rtol=1e-14)
    assert model.feature_names_in_.tolist() == list("abcde")
    for other in (frame[list("bacde")], frame.rename(columns={"a": "z"})):
        for method in ("transform", "score", "partial_fit"):
            with pytest.raises(ValueError, match="feature names should match"):
                getattr(model, method)(other)
    assert model.n_samples_ == 300
    for method in METHODS:
        with pytest.raises(ValueError, match="X must be numeric, it has dates"):
            dates = frame.assign(day=pandas.Timestamp("2020-01-01"))
            called(method, dates, dates)
    one_hot = frame.assign(e=frame["e"] > 7)  # numbers, as scikit-learn takes them
    np.testing.assert_array_equal(
        LinearBetaVAE(2).fit(one_hot).components_, LinearBetaVAE(2).fit(one_hot.astype(float)).components_
    )


def test_a_copy_and_a_pickle():
    options = {"n_components": 2, "beta": 1.2, "noise_variance": 0.7, "posterior": [[1], [0]], "solver": "closed"}
    model = LinearBetaVAE(**options).fit(DATA)
    assert clone(model).get_params() == options
    assert not hasattr(clone(model), "vae_")
    read = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(read.transform(DATA), model.transform(DATA))
    np.testing.assert_array_equal(
        read.partial_fit(DATA[:9]).components_, clone(model).fit(DATA).partial_fit(DATA[:9]).components_
    )


def test_a_search_in_processes_finds_the_same():
    found = [
        GridSearchCV(LinearBetaVAE(2), {"beta": [0.5, 1.0, 2.0]}, cv=3, n_jobs=jobs, error_score="raise").fit(DATA)
        for jobs in (1, 2)
    ]
    scores = [search.cv_results_["mean_test_score"] for search in found]
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-12)
    assert np.ptp(scores[0]) > 0.01
    assert found[1].best_params_ == found[0].best_params_


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "n_samples must be >= 1"), (2.0, "n_samples must be a whole number"), (10**15, "n_samples = .* needs")],
)
def test_samples_that_cannot_be_drawn_are_refused(count, words):
    with pytest.raises(ValueError, match=words):
        FITTED.sample(count)


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
        ({"n_components": 0.95}, r"n_components must be a whole number, got 0\.95; pass the number of .* are PCA's"),
        ({"n_components": 2.0}, r"n_components must be a whole number, got 2\.0; pass the number of latents"),
        ({"n_components": "mle"}, "n_components must be a whole number, got 'mle'; pass the number of latents"),
        ({"n_components": None}, "n_components must be a whole number, got None; pass the number of latents"),
        ({"n_components": True}, "n_components must be a whole number, got True; pass an int"),
        ({"n_components": [2]}, r"n_components must be a whole number, got \[2\]; pass an int"),
        ({"n_components": 0}, "n_components must be >= 1, got 0; pass a positive whole number"),
        ({"n_components": -1}, "n_components must be >= 1, got -1; pass a positive whole number"),
        ({"n_components": 10**12}, "n_components = 1000000000000 needs .* GiB"),
        ({"beta": 0.0}, "beta must be > 0, got 0.0"),
        ({"beta": True}, "beta must be numeric, got True"),
        ({"beta": None}, "beta must be numeric, got None"),
        ({"beta": np.nan}, "beta must be finite, got nan"),
        ({"beta": np.inf}, "beta must be finite, got inf"),
        ({"beta": "1"}, "beta must be numeric, got '1'"),
        ({"beta": [1.0, 2.0]}, "beta must be one number"),
        ({"noise_variance": -1.0}, "noise_variance must be"),
        ({"noise_variance": True}, "noise_variance must be numeric, got True"),
        ({"noise_variance": np.nan}, "noise_variance must be finite"),
        ({"posterior": "block"}, "posterior must be"),
        ({"solver": "em"}, "solver must be"),
    ],
)
def test_what_does_not_fit_is_refused(options, words):
    if options == {"n_components": 5}:  # at beta = D / rank the noise is not determined, and the limit is taken
        assert LinearBetaVAE(**options).fit(DATA).optimum_.noise_status == "undetermined"
        return
    for fit in ("fit", "partial_fit"):
        if words != "take fewer latents" or fit == "fit":  # more parts may have an optimum
            with pytest.raises(ValueError, match=words):
                getattr(LinearBetaVAE(**options), fit)(DATA)


@pytest.fixture
def pandas():
    return pytest.importorskip("pandas")


def called(method, data, codes):
    """A method of a transformer that was fitted, if it needs one that was."""
    model = LinearBetaVAE(2) if "fit" in method else FITTED
    return getattr(model, method)(codes if method == "inverse_transform" else data)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda rows: np.ma.array(rows, mask=rows == rows[1, 1]), "X must have no masked entries, it has 1"),
        (lambda rows: [*rows[:3], np.ma.array(rows[3], mask=rows[3] == rows[3, 0])], "X must have no masked entries"),
        (lambda rows: (1e9 * rows).astype("datetime64[s]"), "X must be numeric, it has dates"),
        (lambda rows: [*(1e9 * rows).astype("timedelta64[s]")], "X must be numeric, it has dates"),
        (lambda rows: 1e60 * rows, "X must be at most 1e50 in size"),
        (lambda rows: sparse.csr_array(1e60 * rows), "X must be at most 1e50 in size"),
        (lambda rows: rows + np.nan, "X contains NaN"),
        (lambda rows: sparse.csr_array(np.abs(rows) * np.inf), "X contains infinity"),
        (lambda rows: rows[0], "Expected 2D array"),
        (lambda rows: rows[:0], "0 sample"),
        (lambda rows: rows + 1j, "Complex data"),
    ],
)
def test_data_that_are_not_finite_numbers_are_refused(method, changed, words):
    with pytest.raises(ValueError, match=words):
        called(method, changed(DATA), changed(CODES))


@pytest.mark.parametrize("method", METHODS)
def test_a_masked_array_without_masked_entries_is_an_array(method):
    found, plain = called(method, np.ma.array(DATA), np.ma.array(CODES)), called(method, DATA, CODES)
    if isinstance(found, LinearBetaVAE):
        found, plain = found.components_, plain.components_
    np.testing.assert_array_equal(found, plain)


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
    cosines = np.sum(vae.components_ * pca.components_, axis=1) / lengths
    np.testing.assert_allclose(cosines, 1, rtol=1e-10)  # the signs are the same too
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
