"""`python -m figures explore`: bad usage, and what it says without Bokeh."""

from __future__ import annotations

import sys

import pytest

from figures.__main__ import main


@pytest.fixture
def without_bokeh(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "bokeh"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("drawing", "page", "server"):
        monkeypatch.delitem(sys.modules, f"figures.explorer.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "bokeh", None)


def test_without_the_extra(without_bokeh, capsys):
    assert main(["explore"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.endswith("which the extra `explore` brings: pip install 'linear-beta-vae[explore]'\n")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "-1"], "--port"),
        (["--port", "65536"], "--port"),
        (["--columns", "a"], "--columns is for the file of --data, but there is none"),
        (["--header"], "there is no --data"),
        (["--data", "nothing.csv"], "nothing.csv"),
    ],
)
def test_bad_usage(options, words, capsys):
    pytest.importorskip("bokeh", reason="comes with the extra `explore`")
    assert main(["explore", "--no-browser", *options]) == 2
    assert words in capsys.readouterr().err
