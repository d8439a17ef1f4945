"""Operators of the pages that sympy lacks: log det, norm, expectation, integral over a space, degree, factors.

Each stays unevaluated until its value is asked for, so that a page shows it as a person writes it.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp
from sympy.core.cache import cacheit

__all__ = ["Degree", "Expectation", "FactorCount", "LogDet", "OverAll", "PositiveRoots", "SquaredNorm", "binding"]


class LogDet(sp.Expr):
    """log det of a positive definite matrix."""

    is_commutative = True
    is_real = True

    def __new__(cls, matrix):
        return sp.Expr.__new__(cls, sp.sympify(matrix))

    def _latex(self, printer):
        return rf"\log\det {_latex_argument(printer, self.args[0])}"

    def _pretty(self, printer):
        return _pretty_call(printer, "log det", self.args[0])

    def _numpycode(self, printer):
        return f"numpy.linalg.slogdet({printer._print(self.args[0])})[1]"


class SquaredNorm(sp.Expr):
    """v^T v for a column v, or v^T M v with a symmetric matrix M, shown as ||v||^2 and ||v||^2_M."""

    is_commutative = True
    is_real = True

    def __new__(cls, vector, metric=None):
        return sp.Expr.__new__(cls, vector, *(() if metric is None else (metric,)))

    @cacheit
    def as_trace(self) -> sp.Trace:
        vector, *metric = self.args
        return sp.Trace(sp.MatMul(vector.T, *metric, vector))

    def _numpycode(self, printer):
        return printer._print(self.as_trace())

    def _latex(self, printer):
        metric = f"_{{{printer._print(self.args[1])}}}" if len(self.args) == 2 else ""
        return rf"\left\Vert {printer._print(self.args[0])} \right\Vert^2{metric}"

    def _pretty(self, printer):
        from sympy.printing.pretty.stringpict import prettyForm, stringPict

        vector = printer._print(self.args[0])
        bars = stringPict("\n".join(["‖"] * vector.height()), vector.baseline)
        inner = prettyForm(*prettyForm(*vector.left(bars)).right(bars))
        return _with_scripts(inner, "2", printer._print(self.args[1]) if len(self.args) == 2 else None)


class Expectation(sp.Expr):
    """Expectation over the random vectors of the page."""

    is_commutative = True
    is_real = True

    def __new__(cls, expression):
        return sp.Expr.__new__(cls, sp.sympify(expression))

    def _latex(self, printer):
        return rf"\mathrm{{E}}\left[{printer._print(self.args[0])}\right]"

    def _pretty(self, printer):
        from sympy.printing.pretty.stringpict import prettyForm

        inner = prettyForm(*printer._print(self.args[0]).parens("[", "]"))
        return prettyForm(*inner.left("E"), binding=prettyForm.ATOM)


class Binder(sp.Basic):
    """An operator on a formula, its first argument, that binds a variable, its second."""

    @property
    def free_symbols(self) -> set:
        formula, variable = self.args
        return formula.free_symbols - {variable}

    def _eval_subs(self, old, new):
        """The variable is bound: nothing is put in its place, and nothing that contains it is put inside."""
        formula, variable = self.args
        if old == variable:
            return self
        if new.has(variable) and formula.has(old):
            raise ValueError(f"{new} in place of {old} is taken in by {type(self).__name__} over {variable}")
        return None


class OverAll(Binder, sp.Expr):
    """The integral of a function over all values of a variable, which may be a vector of any size, or a sum."""

    is_commutative = True
    is_real = True

    def __new__(cls, function, variable):
        return sp.Expr.__new__(cls, sp.sympify(function), variable)

    @property
    def function(self) -> sp.Expr:
        return self.args[0]

    @property
    def variable(self) -> sp.Symbol:
        return self.args[1]

    def _latex(self, printer):
        function = printer._print(self.function)
        if self.function.is_Add:
            function = rf"\left({function}\right)"
        return rf"\int {function} \ d{printer._print(self.variable)}"

    def _pretty(self, printer):
        from sympy.printing.pretty.stringpict import prettyForm

        function = printer._print(self.function)
        if self.function.is_Add:
            function = prettyForm(*function.parens())
        whole = prettyForm(*function.left("∫ "))
        return prettyForm(*whole.right(f" d{self.variable}"), binding=prettyForm.MUL)


class Degree(Binder, sp.Function):
    """Degree of a polynomial in a symbol."""

    nargs = 2

    def doit(self, **hints):
        polynomial, symbol = self.args
        return sp.Integer(sp.Poly(polynomial, symbol).degree())

    def _latex(self, printer):
        return rf"\deg_{{{printer._print(self.args[1])}}} {_latex_argument(printer, self.args[0])}"

    def _pretty(self, printer):
        return _pretty_call(printer, f"degree in {printer._print(self.args[1])} of", self.args[0])


class FactorCount(Binder, sp.Function):
    """Number of factors of a polynomial in a symbol, irreducible over the rational functions of the other symbols."""

    nargs = 2

    def doit(self, **hints):
        polynomial, symbol = self.args
        return sp.Integer(sum(power for factor, power in sp.factor_list(polynomial)[1] if factor.has(symbol)))

    def _latex(self, printer):
        return rf"\mathrm{{factors}}_{{{printer._print(self.args[1])}}} {_latex_argument(printer, self.args[0])}"

    def _pretty(self, printer):
        return _pretty_call(printer, f"number of factors in {printer._print(self.args[1])} of", self.args[0])


class PositiveRoots(Binder, sp.Function):
    """Number of positive roots of a polynomial in a symbol, each counted with its multiplicity."""

    nargs = 2

    def _latex(self, printer):
        return rf"\mathrm{{roots}}_{{{printer._print(self.args[1])} > 0}} {_latex_argument(printer, self.args[0])}"

    def _pretty(self, printer):
        return _pretty_call(printer, f"number of roots {printer._print(self.args[1])} > 0 of", self.args[0])


def binding(formula: sp.Basic) -> Iterator[tuple[sp.Basic, sp.Symbol]]:
    """The operations in a formula that bind a variable, each with it."""
    for part in formula.atoms(sp.Derivative, sp.Subs):
        yield from ((part, variable) for variable in part.variables)
    for part in formula.atoms(sp.Sum, sp.Integral):
        yield from ((part, limits[0]) for limits in part.limits)
    for part in formula.atoms(sp.Limit, OverAll, PositiveRoots, Degree, FactorCount):
        yield part, part.args[1]


def _latex_argument(printer, argument) -> str:
    text = printer._print(argument)
    alone = isinstance(argument, sp.Symbol | sp.MatrixSymbol | sp.MatrixBase)
    return text if alone else rf"\left({text}\right)"


def _pretty_call(printer, name: str, argument):
    from sympy.printing.pretty.stringpict import prettyForm

    shown = printer._print(argument)
    if not (argument.is_Atom or isinstance(argument, sp.MatrixSymbol | sp.MatrixBase)):
        shown = prettyForm(*shown.parens())
    return prettyForm(*shown.left(f"{name} "), binding=prettyForm.FUNC)


def _with_scripts(form, upper: str, lower):
    """A form with a superscript, and a subscript if there is one."""
    from sympy.printing.pretty.stringpict import prettyForm, stringPict

    rows = [upper, *[" "] * form.height()]
    place = form.baseline + 1
    if lower is not None:
        rows.extend(lower.render(wrap_line=False).splitlines())
    scripts = stringPict("\n".join(rows), place)
    return prettyForm(*form.right(scripts), binding=prettyForm.ATOM)
