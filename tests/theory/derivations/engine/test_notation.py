"""The table of notation and the list of works."""

import re

from theory.derivations.engine.notation import NOTATION, REFERENCES, SIZES


def test_each_symbol_is_listed_once():
    symbols = [symbol for symbol, _ in NOTATION]
    assert len(symbols) == len(set(symbols))
    assert all(meaning.count("$") % 2 == 0 for _, meaning in NOTATION)


def test_each_work_has_the_year_of_its_key():
    for key, work in REFERENCES.items():
        assert re.search(r"\d{4}$", key)[0] in work
        assert work.endswith(".")


def test_the_first_sizes_are_of_every_kind():
    """Fewer latents than data dimensions, more, one, and at least one size of four."""
    latents, dims = zip(*(sizes[:2] for sizes in SIZES[:3]), strict=True)
    assert latents[0] < dims[0] and latents[1] > dims[1] and latents[2] == 1
    assert max(latents + dims) >= 4
