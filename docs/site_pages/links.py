"""Links to functions by any of the names under which they are exported, and text that is no markup."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.addnodes import pending_xref

from site_pages.api import home

__all__ = ["escaped", "name_role", "resolved"]


def resolved(app, env, node, contnode):
    """The link to an exported object by another of its names; None if it has none, which is a warning."""
    if node.get("refdomain") != "py" or node.get("reftarget") not in home():
        return None
    target = home()[node["reftarget"]]
    if target == node["reftarget"]:
        return None
    domain = env.get_domain("py")
    literal = nodes.literal(node["reftarget"], node["reftarget"])
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, literal)


def escaped(app, what, name, thing, options, lines: list[str]) -> None:
    """Bars and trailing underscores of formulas in docstrings, which would be markup, before their examples."""
    for at, line in enumerate(lines):
        if line.startswith(".. rubric:: Examples"):
            return
        lines[at] = re.sub(r"(?<=\w)_(?=\W|$)", r"\\_", line.replace("|", r"\|"))


def name_role(role, rawtext, text, lineno, inliner, options=None, content=()):
    """A name in a docstring as code, and as a link if one package exports it under this name."""
    literal = nodes.literal(rawtext, text)
    full = text if text in home() else next((name for name in home() if name.endswith(f".{text}")), None)
    if full is None:
        return [literal], []
    docname = inliner.document.settings.env.docname
    link = pending_xref(
        rawtext, refdomain="py", reftype="obj", reftarget=home()[full], refdoc=docname, refexplicit=True, refwarn=True
    )
    link += literal
    return [link], []
