"""How small an error of a closed form the checks notice.

Each function of the index is bent: wherever it is called, one field of its result is too large by a share, an integer
by one, a zero by the share itself; or it has the opposite sign; or the entries of an array are in reverse order. The
checks that the index names for it run again, and a row must fail. What no row can notice, and why, is in
`theory.results.UNNOTICED`.

An experiment must not rest on what it is compared with: in no row may closed form and experiment move together.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from time import process_time
from types import FunctionType

import numpy as np

from numerics.checks.verify import CHECKS
from numerics.comparison import Budget, Comparison
from theory.interface.places import function_of
from theory.interface.progress import progress_bar
from theory.results import RESULTS, UNNOTICED

__all__ = [
    "Bent",
    "Unbent",
    "bent_functions",
    "measured",
    "power_page",
    "reason_of",
    "smallest_noticed",
    "unbent",
]

SIZES = (1e-2, 1e-4, 1e-6, 1e-8)  # shares by which a field is too large, tried in turn as long as they are noticed
KINDS = {"order": lambda values: np.flip(values, -1), "sign": np.negative}  # other errors, where they change anything
DO_NOT_FIT = (ValueError, ArithmeticError, RuntimeWarning, np.linalg.LinAlgError)  # errors of numbers that do not
ROUNDING = 1e-12  # what is smaller is a zero
BUDGET = Budget(samples=100_000, quick=True)

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Bent:
    """A field of the result of a function, and what notices if it is bent.

    Attributes
    ----------
    function : dotted name
    field : str
        with dots, as in "vae.encoder"; empty if the result is a number or an array.
    smallest : float
        the smallest share of `SIZES` that is noticed; infinite if none is.
    row : str
        check and quantity of a row that fails then.
    reason : str
        why nothing can notice it, from the index; empty if something should.
    dependent : str
        a row whose experiment moves together with its closed form, or empty.
    unnoticed : tuple of str
        of `KINDS`, the errors that no row notices, without those for which the index has a reason.
    """

    function: str
    field: str
    smallest: float
    row: str
    reason: str
    dependent: str = ""
    unnoticed: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return (self.smallest <= SIZES[0] or bool(self.reason)) and not self.dependent and not self.unnoticed


def measured(only: Sequence[str], sizes: Sequence[float] = SIZES) -> list[Bent]:
    """What notices each field of each function for which one of these checks stands; with progress."""
    everything = {*CHECKS} == {*only}
    chosen = {name: checks for name, checks in bent_functions().items() if everything or {*checks} & {*only}}
    found, right = [], unbent(chosen)
    with progress_bar(chosen, desc="bent", unit="function", leave=False) as bar:
        for function in bar:
            bar.set_postfix_str(function)
            found.extend(smallest_noticed(function, right, sizes, kinds=tuple(KINDS), independence=True))
    return found


def bent_functions() -> dict[str, tuple[str, ...]]:
    """The functions of the index, each with the checks of all results that it computes."""
    checks: dict[str, dict[str, None]] = {}
    for result in RESULTS:
        for function in result.functions:
            checks.setdefault(function, {}).update(dict.fromkeys(result.checks))
    return {function: tuple(names) for function, names in checks.items()}


@dataclass(frozen=True)
class Unbent:
    """What the checks do while nothing is bent.

    Attributes
    ----------
    rows : check and quantity of each row, with the row
    fields : of each function, each with the checks in which it appears and the `KINDS` that would change it there
    seconds : processor time of each check
    """

    rows: dict[tuple[str, str], Comparison]
    fields: dict[str, dict[Path, dict[str, set[str]]]]
    seconds: dict[str, float]


def unbent(checks_of: Mapping[str, Sequence[str]]) -> Unbent:
    """Run each check of some functions once, with a note of all results of the functions for which it stands."""
    found = Unbent({}, {function: {} for function in checks_of}, {})
    for check in dict.fromkeys(name for names in checks_of.values() for name in names):
        start = process_time()
        with ExitStack() as stack:
            for function, names in checks_of.items():
                if check in names:
                    stack.enter_context(bent(function, partial(_note, check=check, seen=found.fields[function])))
            found.rows.update({(row.result, row.quantity): row for row in _rows([check])})
        found.seconds[check] = process_time() - start
    return found


def smallest_noticed(
    function: str,
    right: Unbent,
    sizes: Sequence[float] = SIZES,
    *,
    kinds: Sequence[str] = (),
    independence: bool = False,
) -> Iterator[Bent]:
    """What notices each field of a function, bent by ever smaller shares and in other ways.

    With `independence`, also whether an experiment rests on it.
    """
    seen, told = right.fields[function], set()
    for path, found in seen.items() or ((("not reached",), {}),):
        checks = sorted(found, key=right.seconds.__getitem__)  # the fastest first: one of them is to fail
        changing = set().union(*found.values())
        field = ".".join(map(str, path))
        name = f"{function} {field}".strip()
        smallest, row, known = np.inf, "", reason_of(function, field)
        if known not in ("", name):  # a part of what has a reason, which is told once
            if known not in told:
                yield Bent(function, known.removeprefix(f"{function} "), smallest, row, UNNOTICED[known])
            told.add(known)
            continue
        for size in sizes if seen else ():
            failed = _noticed(function, checks, path, partial(_larger, size))
            if not failed:
                break
            smallest, row = size, failed
        unnoticed = tuple(
            kind
            for kind in kinds
            if kind in changing
            and not known
            and f"{name} {kind}" not in UNNOTICED
            and not _noticed(function, checks, path, KINDS[kind])
        )
        dependent = ""
        if independence and seen:
            change = partial(_larger, SIZES[0] / 10)
            with bent(function, lambda result, path=path, change=change: _changed(result, path, change)):
                dependent = _moved_together(right.rows, _rows(checks))
        yield Bent(function, field, smallest, row, UNNOTICED.get(known, ""), dependent, unnoticed)


def reason_of(function: str, field: str) -> str:
    """The entry of `UNNOTICED` for a field, or for one that it is part of; or empty."""
    parts = field.split(".")
    names = [f"{function} {'.'.join(parts[:count])}".strip() for count in range(len(parts), 0, -1)]
    return next((name for name in names if name in UNNOTICED), "")


def _noticed(function: str, checks: Sequence[str], path: Path, change: Callable) -> str:
    """The row that fails while a field is bent; empty if none does."""
    with bent(function, lambda result: _changed(result, path, change)):
        return first_failure(checks)


def _note(result, *, check: str, seen: dict[Path, dict[str, set[str]]]):
    """Write down the places in a result, each with the kinds of error that would change something."""
    for path, values in _places(result):
        changing = seen.setdefault(path, {}).setdefault(check, set())
        if np.any(np.abs(values) > ROUNDING):
            changing.add("sign")
        if np.ndim(values) and not np.allclose(np.flip(values, -1), values, rtol=1e-6, equal_nan=True):
            changing.add("order")
    return result


def _moved_together(before: Mapping[tuple[str, str], Comparison], rows: Iterable[Comparison]) -> str:
    """Check and quantity of a row in which closed form and experiment both differ from what they were."""
    for row in rows:
        old = before.get((row.result, row.quantity))
        if old is None or not _differs(old.closed_form, row.closed_form):
            continue
        if _differs(old.trained, row.trained) or _differs(old.monte_carlo, row.monte_carlo):
            return f"{row.result}: {row.quantity}"
    return ""


def _differs(old: float | None, new: float | None) -> bool:
    """By more than the error of a search."""
    return None not in (old, new) and abs(old - new) > 1e-7 * (1e-3 + abs(old))


def _rows(checks: Sequence[str]) -> Iterator[Comparison]:
    """The rows of checks, up to the first that raises an error, of numbers that no longer fit together."""
    for name in checks:
        with suppress(*DO_NOT_FIT):
            for row in CHECKS[name](BUDGET):
                yield replace(row, result=name)


def power_page(rows: Sequence[Bent]) -> str:
    """The table of `verify --power` in Markdown."""
    shares = ", ".join(f"{size:g}" for size in SIZES)
    lines = ["| function | field | smallest share noticed | by, or why not |", "|---|---|---|---|"]
    for row in rows:
        field, notice = (text.replace("_", r"\_") for text in (row.field, row.row))
        smallest = f"{row.smallest:g}" if row.row else ""
        lines.append(f"| `{row.function}` | {field} | {smallest} | {notice or row.reason} |")
    return (
        "# What the experiments would notice\n\n"
        "Each field of each closed form is made wrong in turn, for all its callers, by a share of its value: a number "
        "or a whole array is too large by the factor 1 + share, an integer by one, a zero by the share. Then the "
        "checks that the index of results names for the function run again, with few draws. The table has the "
        f"smallest of the shares {shares} that makes a row fail, and a row that does. In no row do closed form and "
        "experiment move together, and a wrong sign of each field and a reversed order of the entries of each array "
        "are noticed, too, else the command would say so. This page is made by `python -m numerics verify --power "
        "--markdown docs/verification.md`.\n\n" + "\n".join(lines) + "\n"
    )


def first_failure(checks: Sequence[str]) -> str:
    """Check and quantity of the first row that fails, or the error that a check raises; empty if all pass."""
    for name in checks:
        try:
            for row in CHECKS[name](BUDGET):
                if not row.passed:
                    return f"{name}: {row.quantity}"
        except DO_NOT_FIT as error:
            return f"{name}: {type(error).__name__}"
    return ""


@contextmanager
def bent(function: str, change: Callable) -> Iterator[None]:
    """Change the result of a function for all its callers, those inside `theory` too: its code is exchanged."""
    target = inspect.unwrap(function_of(function))
    own, name = target.__code__, f"{target.__module__}.{target.__qualname__}"
    right = FunctionType(own, target.__globals__, name, target.__defaults__, target.__closure__)
    right.__kwdefaults__ = target.__kwdefaults__
    _changes[name] = lambda *arguments, **options: change(right(*arguments, **options))
    target.__code__ = _relay.__code__.replace(
        co_consts=tuple(name if constant == "the function" else constant for constant in _relay.__code__.co_consts)
    )
    try:
        yield
    finally:
        target.__code__ = own


_changes: dict[str, Callable] = {}


def _relay(*arguments, **options):
    # This code stands in for that of another function, in whose module it must find what it needs.
    from numerics.checks.power import _changes

    return _changes["the function"](*arguments, **options)


def _places(result, path: Path = ()) -> Iterator[tuple[Path, np.ndarray]]:
    """The places of the numbers and arrays in a result, with these."""
    if isinstance(result, np.ndarray):
        if result.size and result.dtype != bool:
            yield path, result
    elif isinstance(result, int | float | np.number) and not isinstance(result, bool | np.bool_):
        yield path, np.asarray(result)
    elif is_dataclass(result):
        for field in fields(result):
            yield from _places(getattr(result, field.name), (*path, field.name))
    elif isinstance(result, tuple):
        for number, part in enumerate(result):
            yield from _places(part, (*path, number))


def _changed(result, path: Path, change: Callable):
    """A result with the number or array at a place changed."""
    if result is None:
        return None
    if not path:
        return change(np.asarray(result))[()]
    if isinstance(result, tuple):
        return tuple(
            _changed(part, path[1:], change) if number == path[0] else part for number, part in enumerate(result)
        )
    other = copy.copy(result)
    for name in vars(result).keys() - {field.name for field in fields(result)}:  # computed from the right field
        del vars(other)[name]
    object.__setattr__(other, path[0], _changed(getattr(result, path[0]), path[1:], change))
    return other


def _larger(size: float, values: np.ndarray) -> np.ndarray:
    """Too large by a share, integers by one, zeros by the share itself."""
    if values.dtype.kind in "iu":
        return values + 1
    return np.where(np.abs(values) <= ROUNDING, size, values * (1 + size))
