"""Every old name gives the object at its new place, with a warning."""

from importlib import import_module

import pytest

from theory.interface.old_names import OLD_NAMES


@pytest.mark.parametrize(
    ("package", "name", "new"), [(package, *pair) for package, names in OLD_NAMES.items() for pair in names.items()]
)
def test_an_old_name_is_the_new_object(package, name, new):
    module, _, attribute = new.rpartition(".")
    with pytest.warns(DeprecationWarning, match=f"{package}.{name} is now {new}"):
        old = getattr(import_module(package), name)
    assert old is getattr(import_module(module), attribute)
