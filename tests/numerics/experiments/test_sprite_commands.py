"""The command `sprites`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from numerics.__main__ import main


def test_sprites(capsys):
    options = ["--size", "12", "--count", "300", "--latent-dim", "3", "--betas", "1,2"]
    assert main(["sprites", *options, "--seeds", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scores"]["beta"] == [1.0, 2.0]
    assert len(found["axes"]["x"]) == 3
    scores, first = found["scores"], found["draws"]["gap_of_means"]
    assert (scores["gap_of_means_least"][0], scores["gap_of_means_most"][0]) == (min(first), max(first))
    assert len(set(first)) == 3 and scores["gap_of_means"][0] == pytest.approx(np.mean(first))
    assert main(["sprites", *options, "--seeds", "1"]) == 0
    assert "the two largest eigenvalues nearly tie" in capsys.readouterr().out
    assert main(["sprites", "--dsprites", "missing.npz"]) == 2
    assert "missing.npz" in capsys.readouterr().err
