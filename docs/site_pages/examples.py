"""Runs the Python of a page while it is read, and warns where it does not print what the page shows.

The blocks of a page continue each other. What stands below a block as `text` is what it prints.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re

from sphinx.util import logging

__all__ = ["check_examples"]

EXAMPLE = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
ALIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def check_examples(app, name: str, source: list[str]) -> None:
    """Run the examples of the pages of `executed_pages`."""
    if name not in app.config.executed_pages:
        return
    shared: dict[str, object] = {}
    for code, shown in EXAMPLE.findall(source[0]):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, f"<{name}>", "exec"), shared)
        if not doctest.OutputChecker().check_output(shown, printed.getvalue(), ALIKE):
            logging.getLogger(__name__).warning(f"printed\n{printed.getvalue()}and not\n{shown}", location=name)
