from __future__ import annotations

import numpy as np

from figures.kit import options


def test_streams_share_nothing_between_uses_or_seeds():
    """Neighbouring seeds used to share all starts but one."""
    seeds = []
    for seed in range(4):
        quick, streams = options.checked_options(np.True_, seed, print, 3)
        assert quick is True
        for stream in streams:
            seeds += options.start_seeds(stream, 50) + options.start_seeds(stream, 50)
    assert len(set(seeds)) == len(seeds) == 4 * 3 * 100
    again = options.checked_options(False, 3, print, 3)[1][2]
    assert options.start_seeds(again, 50) == seeds[-100:-50]
