"""Write the three small files that docs/questions.md uses: 80 plants, invented, and three factors that shaped them."""

import sys
from pathlib import Path

import numpy as np

LOADING = [[0.8, 0.3, 0.2], [0.7, 0.5, 0.0], [0.2, 0.8, 0.3], [0.0, 0.6, 0.6], [0.5, 0.0, 0.7], [0.8, 0.0, 0.4]]
MEANS, UNITS = [60, 5, 40, 0.8, 30, 12], [9, 0.8, 11, 0.2, 6, 3]


def main(folder: str) -> None:
    rng = np.random.default_rng(1)
    factors = rng.standard_normal((80, 3))
    plants = MEANS + UNITS * (factors @ np.transpose(LOADING) + 0.4 * rng.standard_normal((80, 6)))
    rows = [[f"{value:.4g}" for value in plant] for plant in plants]
    measured = [[f"{value:.3g}" for value in plant] for plant in [10, 3, 5] + [2, 0.5, 1] * factors]
    tables = {
        "plants.csv": [["id", "height_cm", "stem_mm", "leaf_cm2", "root_g", "shoot_g", "petal_mm"]]
        + [[str(at), *row] for at, row in enumerate(rows, start=1)],
        "plants_factors.csv": [["id", "light_h", "water_l", "nitrogen_g"]]
        + [[str(at), *row] for at, row in enumerate(measured, start=1)],
        "plants_lab.csv": [["sample_id", "site", "height_cm", "stem_mm", "leaf_cm2"]]
        + [[f"P{at:02}", ("north", "south")[at % 2], *row[:3]] for at, row in enumerate(rows, start=1)],
    }
    for name, table in tables.items():
        mark = ";" if name == "plants_lab.csv" else ","
        Path(folder, name).write_text("".join(f"{mark.join(row)}\n" for row in table), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "docs/examples")
