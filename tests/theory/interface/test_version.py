"""The version is stated once."""

import importlib.metadata

import theory
from theory.interface.version import VERSION


def test_it_is_that_of_the_package_and_of_the_installed_project():
    assert theory.__version__ == VERSION == importlib.metadata.version("linear-beta-vae")
