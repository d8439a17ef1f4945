"""A package gives its names when they are first used, and its old names with a warning."""

import types

import pytest

from theory.interface import facade as module


@pytest.fixture
def package(monkeypatch):
    """A package with one exported and one old name."""
    package = types.ModuleType("test_package")
    monkeypatch.setitem(module.sys.modules, "test_package", package)
    monkeypatch.setitem(module.OLD_NAMES, "test_package", {"rational": "fractions.Fraction"})
    package.__getattr__, package.__dir__, package.__all__ = module.facade("test_package", {"math": "sqrt tau"})
    return package


def test_names_are_loaded_once_and_listed(package):
    assert package.__all__ == ["sqrt", "tau"]
    assert "sqrt" not in vars(package)
    assert package.sqrt(4) == 2
    assert "sqrt" in vars(package)
    assert {"sqrt", "tau"} <= set(dir(package))


def test_an_old_name_warns_and_works(package):
    with pytest.warns(DeprecationWarning, match="test_package.rational is now fractions.Fraction"):
        assert package.rational(1, 2) == 0.5


def test_another_name_is_refused(package):
    with pytest.raises(AttributeError, match="module 'test_package' has no attribute 'nonsense'"):
        package.nonsense  # noqa: B018
