"""The commands `derive` and `book` of `python -m theory`; sympy is imported only when they run."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from theory.interface import files
from theory.interface.files import output_file
from theory.interface.report import Report, aligned_table
from theory.interface.run import add_command

__all__ = ["add_commands"]


def add_commands(commands) -> None:
    """Register `derive` and `book` with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "derive",
        _derive,
        "Symbolic derivations of the closed forms: list them, read one, or check them.",
        "  python -m theory derive\n"
        "  python -m theory derive optimal-encoder\n"
        "  python -m theory derive optimal-encoder --latex page.tex\n"
        "  python -m theory derive --check\n"
        "  python -m theory derive --check inference gaussian-kl",
    )
    command.add_argument("names", nargs="*", metavar="NAME", help="a derivation, or a chapter such as inference")
    command.add_argument(
        "--check",
        action="store_true",
        help="check every step of the derivations named, or of all; exit code 1 if a check fails",
    )
    command.add_argument("--latex", metavar="FILE.tex", help="write the page as a LaTeX document")
    command.add_argument("--markdown", metavar="FILE.md", help="write the page as Markdown")

    command = add_command(
        commands,
        "book",
        _book,
        "Write all derivations as one book: book.tex (needs only amsmath) and book.md.",
        "  python -m theory book --out out",
    )
    command.add_argument("--out", metavar="DIR", default="out", help="folder to write to (default ./out)")


def _derive(arguments: argparse.Namespace) -> Report:
    from theory.derivations.registry import find

    forms = [name for name in ("latex", "markdown") if getattr(arguments, name) is not None]
    if arguments.check:
        if forms:
            raise ValueError(f"--{forms[0]} writes a page and --check prints a table; pass one of them")
        return _check(find(arguments.names))
    if not arguments.names:
        if forms:
            raise ValueError(f"--{forms[0]} needs the name of one derivation; for all of them use the command book")
        return _list(find([]))
    pages = find(arguments.names)
    if forms:
        return _write_page(pages, arguments)
    from theory.derivations.book.terminal import terminal_page

    described = {"derivations": [_description(page) for page in pages]}
    return Report(described, "\n\n".join(terminal_page(page) for page in pages).rstrip())


def _list(pages) -> Report:
    from theory.derivations.book.layout import chapters

    width = max((len(page.name) for page in pages), default=0)
    blocks = []
    for chapter in chapters(pages):
        rows = [f"  {page.name:{width}}  {page.title}" for page in chapter.pages]
        blocks.append("\n".join([f"{chapter.heading} [{chapter.name}]", *rows]))
    return Report({"derivations": [_description(page) for page in pages]}, "\n\n".join(blocks))


def _description(page) -> dict:
    from theory.derivations.engine.assumptions import page_assumptions, step_conditions
    from theory.derivations.registry import chapter_of
    from theory.results import named_by_results

    return {
        "name": page.name,
        "title": page.title,
        "chapter": chapter_of(page),
        "statement": " ".join(claim.text for claim in page.statement),
        "claims": [
            {"text": claim.text, "status": page.status(claim), "steps": claim.by, "cites": claim.cites}
            for claim in page.statement
        ],
        "assumptions": [*page.assumptions, *page_assumptions(page)],
        "scope": page.scope,
        "steps": [
            {
                "title": step.title,
                "relation": str(step.relation),
                "conditions": step_conditions(step),
                "uses": [use.step for use in step.uses],
                "reason": step.reason,
                "result": step.title in page.results,
            }
            for step in page.steps
        ],
        "implements": named_by_results(page.name, "functions"),
    }


def _write_page(pages, arguments: argparse.Namespace) -> Report:
    from theory.derivations.book.latex import latex_page
    from theory.derivations.book.markdown import markdown_page

    if len(pages) != 1:
        option = "latex" if arguments.latex is not None else "markdown"
        raise ValueError(f"--{option} takes one derivation, got {len(pages)}; for all of them use the command book")
    forms = (arguments.latex, ".tex", latex_page), (arguments.markdown, ".md", markdown_page)
    outputs = [(output_file(path, extension), write) for path, extension, write in forms if path is not None]
    written = [_write(file, write(pages[0]).rstrip("\n") + "\n") for file, write in outputs]
    return Report({"written": written}, "\n".join(f"wrote {file}" for file in written))


def _book(arguments: argparse.Namespace) -> Report:
    from theory.derivations.book.latex import latex_book
    from theory.derivations.book.markdown import markdown_book
    from theory.derivations.registry import derivations

    folder = files.output_folder(arguments.out)
    pages = derivations()
    written = [_write(folder / "book.tex", latex_book(pages)), _write(folder / "book.md", markdown_book(pages))]
    return Report({"written": written}, "\n".join(f"wrote {file}" for file in written))


def _write(file: Path, text: str) -> Path:
    files.write_atomically(file, lambda opened: opened.write(text.encode()))
    return file


def _check(pages) -> Report:
    from theory.derivations.checking import check_pages
    from theory.derivations.engine.page import Status
    from theory.derivations.engine.tie import tie_fault
    from theory.derivations.ties import TIES

    checks = check_pages(pages)
    everything = [check for of_page in checks.values() for check in of_page]
    faults = [f"{check.derivation}, {check.step}: {check.fault}" for check in everything if not check.passed]
    ties: dict[str, list[dict]] = {page.name: [] for page in pages}
    for page in pages:
        for tie in (tie for tie in TIES if tie.page == page.name):
            fault = tie_fault(tie, page)
            ties[page.name].append({"function": tie.function, "formula": tie.formula, "fault": fault})
            faults += [f"{page.name}, {fault}"] if fault else []
    failed = {name for name in checks if not all(check.passed for check in checks[name])}
    failed |= {name for name, of_page in ties.items() if any(tie["fault"] for tie in of_page)}
    table = aligned_table(
        {
            "derivation": list(checks),
            "steps": [len(of_page) for of_page in checks.values()],
            "proved": [sum(check.exact for check in of_page) for of_page in checks.values()],
            "points": [sum(check.points for check in of_page) for of_page in checks.values()],
            "refused": [sum(check.controls for check in of_page) for of_page in checks.values()],
            "compared": [len(ties[name]) for name in checks],
            "seconds": [f"{sum(check.seconds for check in of_page):.1f}" for of_page in checks.values()],
            "verdict": ["FAILED" if name in failed else "ok" for name in checks],
        }
    )
    compared, seconds = sum(map(len, ties.values())), sum(check.seconds for check in everything)
    total = (
        f"{len(everything)} steps, {compared} formulas compared with functions, {len(faults)} failed, {seconds:.1f} s"
    )
    sentences = Counter(page.status(claim) for page in pages for claim in page.statement)
    told = ", ".join(f"{count} {status}" for status, count in sorted(sentences.items()))
    share = sentences[Status.ARGUED] / max(sentences.total(), 1)
    claims = f"{sentences.total()} sentences of statements: {told} ({share:.1%} argued)"
    return Report(
        {"passed": not faults, "checks": everything, "ties": ties, "claims": sentences},
        "\n".join([table, "", total, claims, *faults]),
        failed=bool(faults),
    )
