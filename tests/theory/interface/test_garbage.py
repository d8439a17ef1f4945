"""What is alive is not looked through again, and what becomes garbage later still is."""

import gc

from theory.interface.garbage import collect_rarely


def test_collect_rarely():
    before = gc.get_threshold()
    try:
        collect_rarely()
        assert gc.get_freeze_count() > 0 and gc.isenabled()
        assert all(now > was for now, was in zip(gc.get_threshold(), before, strict=True))
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
