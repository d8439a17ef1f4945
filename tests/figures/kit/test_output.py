from __future__ import annotations

from figures import rotation_energy
from figures.kit import output
from figures.registry import FORMATS

CHEAP = "rotation_energy"


def test_no_dates_or_programs_in_the_files(quick_table):
    figure = output.draw(rotation_energy, quick_table(CHEAP))
    assert set(output.METADATA) == set(FORMATS)
    assert b"CreationDate" not in output.render(figure, "pdf") and b"Producer" not in output.render(figure, "pdf")
    assert b"Software" not in output.render(figure, "png")
    assert b"<dc:date>" not in output.render(figure, "svg")


def test_a_file_name_that_is_no_text_does_not_stop_the_caption(tmp_path, quick_table):
    named = {"command": "python -m figures --data '\udcff.csv'", "stands_for": "none"}
    output.write(tmp_path, CHEAP, output.draw(rotation_energy, quick_table(CHEAP)), ["png"], **named)
    assert b"--data '\\udcff.csv'" in (tmp_path / f"{CHEAP}.md").read_bytes()
