"""The mean distances to orthogonality that Rolinek et al. (2019) report, and which of them are reproduced.

Setting as in `numerics.experiments.orthogonality`. Two of the six are reproduced: .00 for the diagonal posterior at
ratio 2, at the end, and .01 at ratio 1.5 after about 300 plain gradient steps, not at the end, where all are zero. The
.20 at ratio 1.2 is near what 300 steps give, .16 (.15 to .18 in four samples of 400 starts each); it is passed between
200 and 250 steps, where ratio 1.5 has not come to .01.

Three are not. At ratio 1 those 300 steps lead to .37 to .47 (ten samples, 200 starts each), not to .49. The .34 and .33
of a full posterior and of an autoencoder are .548, chance, before training, after it, and at every step between, so
that no number of steps explains them; nor does 1/sqrt(2) in the norm, which gives .39.
"""

from __future__ import annotations

__all__ = ["PUBLISHED", "PUBLISHED_SERIES"]


# Mean distances that Rolinek et al. (2019) report: at ratio 2 for each model, and for the diagonal posterior by ratio.
PUBLISHED = {"diagonal": 0.00, "full": 0.34, "autoencoder": 0.33}
PUBLISHED_SERIES = {1.0: 0.49, 1.2: 0.20, 1.5: 0.01}
