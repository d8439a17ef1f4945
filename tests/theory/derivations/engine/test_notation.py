"""The table of notation and the list of works."""

import re

from theory.derivations.engine.notation import NOTATION, POINT_SIZES, REFERENCES


def test_each_symbol_is_listed_once():
    symbols = [symbol for symbol, _ in NOTATION]
    assert len(symbols) == len(set(symbols))
    assert all(meaning.count("$") % 2 == 0 for _, meaning in NOTATION)


def test_each_work_has_the_year_of_its_key():
    for key, work in REFERENCES.items():
        assert re.search(r"\d{4}$", key)[0] in work
        assert work.endswith(".")


def test_point_sizes_set_the_same_integers():
    assert len({frozenset(sizes) for sizes in POINT_SIZES}) == 1
