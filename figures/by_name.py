"""One figure by its name, with parameters of one's own."""

from __future__ import annotations

import inspect
import os
import warnings

from threadpoolctl import threadpool_limits

from figures.kit.options import OPTIONS
from figures.kit.output import DrawnFigure, write
from figures.kit.output import draw as drawn
from figures.kit.panels import checked_panel
from figures.registry import PNG_DPI, FigureEntry, checked_dpi, every_figure, file_name, paths
from theory import validation
from theory.interface.files import output_folder, refuse_folders

__all__ = ["draw", "parameters_of"]

WRITTEN = ("pdf", "png")  # beside table, parameters and caption


def draw(
    name: str,
    /,
    *,
    panel: str | None = None,
    quick: bool = False,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    dpi: int = PNG_DPI,
    **parameters,
) -> DrawnFigure:
    """Draw one figure, or one panel of it, with parameters of your own, and compare theory with experiment again.

    What comes back is the matplotlib Figure alone, as from `DataFrame.plot` or `seaborn`: as the last line of a cell a
    notebook shows it, once, and `figure.savefig`, `figure.axes` work as usual. The numbers and the text go with it, as
    `figure.table` and `figure.caption`, so that nobody has to unpack a pair to see a picture. It is not known to
    pyplot, and so need not be closed.

    Parameters
    ----------
    name : str
        of a figure in `python -m figures list`.
    panel : str, optional
        the letter of a panel: this alone, at the width of a column, with a legend and a caption of its own.
    quick : bool
        fewer points and smaller models, for a first look.
    seed : int
        of all random numbers.
    out : path of a folder, optional
        where to write NAME.pdf, NAME.png, NAME.csv, NAME.json and NAME.md (NAME_b.* for panel b, with the table of all
        panels); created if missing. Nothing is written without it.
    dpi : int, from 50 to 1200
        pixels in an inch, of the png and in a notebook.
    **parameters
        of this figure: the arguments of its `data`, such as `help(figures.collapse.data)` lists, and each page of the
        gallery.

    Returns
    -------
    DrawnFigure
        a `matplotlib.figure.Figure` with `table` (points, parameters and comparisons of theory with experiment) and
        `caption`.

    Raises
    ------
    ValueError
        for a name, panel or parameter that does not exist, with those that do; and for a value out of bounds, with
        the argument's name.

    Warns
    -----
    UserWarning
        if theory and experiment disagree: which quantity, and by how much.

    Examples
    --------
    >>> import figures
    >>> figure = figures.draw("rotation_energy", eigenvalue_ratios=(1.5, 3.0), beta=2.0, quick=True)
    >>> [comparison.passed for comparison in figure.table.comparisons]
    [True, True, True, True, True, True]
    """
    entry = every_figure()[validation.choice("name", name, every_figure())]
    known = parameters_of(entry)
    if unknown := [word for word in parameters if word not in known]:
        takes = ", ".join(known) if known else "none"
        raise ValueError(f"{', '.join(unknown)} must be a parameter of the figure {name}; it takes {takes}")
    if panel is not None:
        checked_panel("panel", panel, entry.module)
    dpi, stem = checked_dpi("dpi", dpi), file_name(name, panel)
    if out is not None:
        folder = output_folder(validation.instance("out", out, (str, os.PathLike), "pass the path of a folder"))
        refuse_folders(paths(folder, stem, WRITTEN).values())
    with threadpool_limits(1, user_api="blas"):  # as the command line: the order of a sum may depend on the threads
        table = entry.module.data(quick=quick, seed=seed, **parameters)
    for comparison in table.comparisons:
        if not comparison.passed:
            warnings.warn(
                f"theory and experiment disagree in {comparison.quantity!r} ({comparison.source}): the largest "
                f"deviation is {comparison.deviation:.2g} {comparison.unit}, allowed are {comparison.tolerance:.2g}",
                UserWarning,
                stacklevel=2,
            )
    figure = drawn(entry.module, table, panel, dpi=dpi)
    if out is not None:
        chosen = {"panel": panel, "quick": quick, "seed": seed}
        defaults = {"panel": None, "quick": False, "seed": 0}
        given = {word: value for word, value in chosen.items() if value != defaults[word]} | parameters
        command = _call(name, given)
        write(folder, stem, figure, WRITTEN, command=command, stands_for=entry.stands_for)
    return figure


def parameters_of(entry: FigureEntry) -> dict[str, object]:
    """The parameters that a figure takes besides those of all figures, and their defaults."""
    taken = inspect.signature(entry.module.data).parameters.values()
    return {each.name: each.default for each in taken if each.name not in OPTIONS}


def _call(name: str, given: dict[str, object]) -> str:
    """The call of `draw` that draws a figure, as Python."""
    words = [repr(name), *(f"{word}={_shown(value)}" for word, value in given.items())]
    return f"figures.draw({', '.join(words)})"


def _shown(value: object) -> str:
    """A value as Python; of data only that they were there."""
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else "..."
