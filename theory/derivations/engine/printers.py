"""sympy's printers with the conventions of textbooks: no needless minus in front, upright names, I for identity."""

from __future__ import annotations

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter
from sympy.printing.numpy import NumPyPrinter as SympyNumPyPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.stringpict import prettyForm, stringPict

from theory.derivations.engine.operators import Degree, FactorCount, LogDet, OverAll, PositiveRoots, SquaredNorm

__all__ = ["NumpyPrinter", "baseline", "inline", "latex", "ordered_terms", "pretty", "width"]


UNBRACKETED = (LogDet, OverAll, SquaredNorm, Degree, FactorCount, PositiveRoots)  # printed as words or with exponents


def ordered_terms(expression: sp.Add) -> list[sp.Expr]:
    """The terms of a sum in sympy's order, except that the first term without a minus sign comes first."""
    return _positive_first(expression.as_ordered_terms())


def latex(expression: sp.Basic) -> str:
    """LaTeX that needs amsmath only and avoids the commands that code-hosting sites refuse."""
    written = _Latex()._print(expression)
    # These sites refuse \operatorname, and Markdown removes a backslash before punctuation.
    for command, replacement in ((r"\operatorname{", r"\mathrm{"), (r"\mathbb{I}", "I"), (r"\,", "\\ ")):
        written = written.replace(command, replacement)
    return written


def inline(expression: sp.Basic) -> str:
    """LaTeX for a sentence: on one line, with strokes for fractions and brackets of one size."""
    written = _Inline()._print(expression)
    for command, replacement in ((r"\left", ""), (r"\right", ""), (r"\mathbb{I}", "I"), (r"\,", " "), (r"\Vert", "||")):
        written = written.replace(command, replacement)
    return written


def pretty(expression: sp.Basic) -> str:
    """Two-dimensional unicode text, without spaces at the ends of lines."""
    shown = _printed(expression).render(wrap_line=False)
    return "\n".join(line.rstrip() for line in shown.replace("𝕀", "I").splitlines())


def width(expression: sp.Basic) -> int:
    """Characters on the longest line of the two-dimensional text."""
    return max(map(len, pretty(expression).splitlines()))


def baseline(expression: sp.Basic) -> int:
    """The line of the two-dimensional text on which a relation sign belongs."""
    return _printed(expression).baseline


def _needs_brackets(power: sp.Pow) -> bool:
    """Whether the base must be bracketed under an exponent; a fraction or a root sign brackets by itself."""
    whole = not power.exp.is_Rational or (power.exp.is_Integer and power.exp.is_positive)
    return isinstance(power.base, UNBRACKETED) and whole


class _Latex(LatexPrinter):
    def _print_Subs(self, substitution):
        expression, old, new = substitution.args
        inner = self._print(expression)
        if expression.is_Add or expression.is_Mul:
            inner = rf"\left( {inner} \right)"
        at = r"\\ ".join(f"{self._print(symbol)}={self._print(value)}" for symbol, value in zip(old, new, strict=True))
        return rf"\left. {inner} \right|_{{\substack{{ {at} }}}}"

    def _print_Pow(self, power):
        if _needs_brackets(power):
            return rf"\left({self._print(power.base)}\right)^{{{self._print(power.exp)}}}"
        return super()._print_Pow(power)

    def _print_MatrixElement(self, entry):
        """Rows and columns are counted from one, as entries of families are."""
        matrix, row, column = entry.args
        return f"{{{self._print(matrix)}}}_{{{self._print(row + 1)},{self._print(column + 1)}}}"

    def _print_MatAdd(self, expression):
        """With the sign of a term between the terms, not a plus and a minus."""
        written = " + ".join(map(self._print, _positive_first(expression.args)))
        return written.replace("+ -", "- ")

    def _print_Derivative(self, derivative):
        """With brackets around a product, which is not one of a derivative and a factor."""
        written, inside = super()._print_Derivative(derivative), self._print(derivative.expr)
        if not derivative.expr.is_Mul or not written.endswith(inside):
            return written
        return rf"{written.removesuffix(inside)}\left({inside}\right)"

    def _needs_mul_brackets(self, expression, first=False, last=False):
        if isinstance(expression, (*UNBRACKETED, sp.Derivative)) and not (last or isinstance(expression, SquaredNorm)):
            return True
        return super()._needs_mul_brackets(expression, first, last)

    def _as_ordered_terms(self, expression, order=None):
        return _positive_first(super()._as_ordered_terms(expression, order))

    def _print_Function(self, function, exp=None):
        """Functions without a name of their own as f(x), densities of two arguments as q(z|x)."""
        if not isinstance(function, AppliedUndef):
            return super()._print_Function(function, exp)
        arguments = [self._print(argument) for argument in function.args]
        between = "|" if function.is_positive else ", "
        name = self._print(sp.Symbol(function.func.__name__)) + ("" if exp is None else f"^{{{exp}}}")
        return f"{name}({between.join(arguments)})"


class _Inline(_Latex):
    def _print_Mul(self, product):
        above, below = sp.fraction(product)
        if below == 1:
            return super()._print_Mul(product)
        return f"{self.parenthesize(above, PRECEDENCE['Mul'])}/{self.parenthesize(below, PRECEDENCE['Pow'])}"

    def _print_Pow(self, power):
        if power.exp.is_negative:
            return f"1/{self.parenthesize(1 / power, PRECEDENCE['Pow'])}"
        return super()._print_Pow(power)

    def _print_Rational(self, number):
        return str(number)


class _Pretty(PrettyPrinter):
    def _as_ordered_terms(self, expression, order=None):
        return _positive_first(super()._as_ordered_terms(expression, order))

    def _print_Pow(self, power):
        if _needs_brackets(power):
            return prettyForm(*self._print(power.base).parens()) ** self._print(power.exp)
        return super()._print_Pow(power)

    def _print_MatAdd(self, expression):
        """With a plus before each term that does not begin with a minus; sympy leaves it out at some coefficients."""
        total, *others = map(self._print, _positive_first(expression.args))
        for term in others:
            minus = term.picture[term.baseline].startswith("-")
            total = prettyForm(*stringPict.next(total, " " if minus else " + ", term))
        return total


class NumpyPrinter(SympyNumPyPrinter):
    """numpy code for the matrix expressions of the pages, of any size."""

    def _print_Trace(self, expression):
        return f"numpy.trace({self._print(expression.args[0])})"

    def _print_erf(self, expression):
        return self._special(expression)

    _print_erfc = _print_gamma = _print_erf

    def _special(self, expression):
        """A function of scipy.special of the same name, which `as_function` provides where it is needed."""
        return f"special.{type(expression).__name__}({', '.join(map(self._print, expression.args))})"

    def _print_Identity(self, expression):
        return f"numpy.eye({self._print(expression.rows)})"


def _printed(expression: sp.Basic):
    from sympy.printing.pretty.pretty_symbology import pretty_use_unicode

    before = pretty_use_unicode(True)
    try:
        return _Pretty({"use_unicode": True, "wrap_line": False})._print(expression)
    finally:
        pretty_use_unicode(before)


def _positive_first(terms) -> list:
    terms = list(terms)
    for position, term in enumerate(terms):
        if not term.could_extract_minus_sign():
            return [term, *terms[:position], *terms[position + 1 :]]
    return terms
