"""Pages are found, ordered after what they build on, and looked up by name or chapter."""

import dataclasses

import pytest

from theory.derivations import registry
from theory.derivations.engine.notation import REFERENCES
from theory.derivations.learning import learned_noise

WANTED = {
    "gaussian-kl",
    "elbo-parts",
    "hadamard-gap",
    "optimal-encoder",
    "posterior-families",
    "inference-error",
    "slope-at-one",
    "two-factors",
    "noise-mismatch",
    "random-mixing",
    "ppca-equivalence",
    "global-optimum",
    "aggregate-posterior",
    "water-filling",
    "learned-noise",
    "annealed-prior",
    "rotation",
    "total-correlation",
}


def test_all_are_found_after_what_they_build_on():
    names = [page.name for page in registry.derivations()]
    assert set(names) >= WANTED
    for page in registry.derivations():
        assert all(names.index(other) < names.index(page.name) for other in page.builds_on)


def test_chapters_mirror_the_folders():
    assert {registry.chapter_of(page) for page in registry.derivations()} <= set(registry.ROOMS)
    assert registry.chapter_of(registry.find(["optimal-encoder"])[0]) == "inference"


def test_a_page_has_the_name_of_its_module(monkeypatch):
    page = registry.find(["learned-noise"])[0]
    monkeypatch.setattr(learned_noise, "derivation", lambda: dataclasses.replace(page, name="noise"))
    with pytest.raises(
        ValueError, match=r"the page 'noise' is made in theory\.derivations\.learning\.learned_noise; give"
    ):
        registry._modules.__wrapped__()


def test_find():
    assert registry.find([]) == registry.derivations()
    assert {page.name for page in registry.find(["axes", "priors"])} >= {"annealed-prior", "rotation"}
    assert registry.find(["rotation", "axes"])[0].name == "rotation"
    with pytest.raises(
        ValueError, match=r"no derivation 'nonsense'; the derivations are .*rotation.*; the chapters are .*inference"
    ):
        registry.find(["nonsense"])


def test_every_source_is_known_and_every_work_is_used():
    used = {source.key for page in registry.derivations() for source in page.sources}
    assert used == set(REFERENCES)
