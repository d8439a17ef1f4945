"""The page of the explorer: controls, and for each panel its message, plot, numbers and commands.

Four panels follow a control at once. The grouped penalty is found by a search, which takes longer; it waits until the
controls rest.
"""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

import numpy as np
from bokeh.document import Document
from bokeh.layouts import column
from bokeh.models import CustomJS, CustomJSTickFormatter, Div, FileInput, Select, Slider, Widget

from figures.explorer.drawing import PLOTS, ink_of_the_page
from figures.explorer.model import BETAS, CRITERIA, PANELS, Panel, panel
from figures.explorer.settings import Settings, Source, chosen_spectrum, digits_spectrum, rounded, uploaded_spectrum
from theory.interface.report import aligned_facts

__all__ = ["build"]

TITLE = "The linear-Gaussian β-VAE"
TEMPLATE = (Path(__file__).parent / "template.html").read_text(encoding="utf-8")
HEADINGS = {
    "latents": (
        "Which latents live",
        "ℓᵢ: eigenvalues of the data covariance; the first K have a latent. σ²: noise variance of the decoder.",
    ),
    "rate": (
        "Rate and distortion",
        "Rate: expected KL of the posterior from the prior. Distortion: expected squared error.",
    ),
    "inference": (
        "The optimal β for inference",
        "Error of the factors s of x = A s + n, inferred by the best encoder of the true decoder A with a diagonal "
        "posterior. Column i of A has squared norm ℓᵢ.",
    ),
    "rotation": (
        "What a rotation costs",
        "Excess loss if latents 1 and 2 of the optimal VAE are rotated away from the principal axes, for a posterior q "
        "that is diagonal and optimised again, rotated and cut to its diagonal, or full.",
    ),
    "groups": (
        "Groups of factors",
        "Squared error of the factors s, as above, if total correlation between groups of latents has the weight β.",
    ),
}
SLOW, REST = "groups", 150  # the panel that waits until the controls have rested for so many milliseconds
LATENTS = 6  # when the page opens, if the data have as many dimensions
FILES = ".csv,.tsv,.npy,.npz"
UPLOADED = "file"

CONTROLS = (
    ":host, label, .bk-slider-title { color: var(--ink); font-size: 14px; }"
    ".bk-input, .bk-input option { color: var(--ink); background-color: var(--box); border-color: var(--edge); }"
    ".noUi-target { background-color: var(--box); border-color: var(--edge); }"
    ".noUi-connect { background-color: var(--accent) !important; }"
    ".noUi-handle:focus-visible { outline: 3px solid var(--accent); }"
)
TEXT = (
    ":host { color: var(--ink); font: 15px/1.45 system-ui, sans-serif; } p { margin: 2px 0 6px; }"
    ".failed { color: var(--wrong); } .soft { color: var(--soft); }"
    "pre { margin: 4px 0; padding: 8px; background: var(--box); font: 12.5px/1.4 ui-monospace, monospace; }"
    "pre { white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }"
    "pre.command { max-height: 8.5em; overflow-y: auto; }"
)

# The handles of sliders get the names that screen readers need, and boxes that scroll can be reached by the tab key.
NAME_CONTROLS = """
for (const slider of sliders) {
  const view = Bokeh.index.find_one(slider);
  view.shadow_el.querySelector(".noUi-handle").setAttribute("aria-label", names[slider.id]);
}
"""


def build(document: Document, given: Source | None = None) -> None:
    """Fill a document of Bokeh with the explorer; `given` is the spectrum of the user's data."""
    _Page(document, given)


class _Page:
    """The state of one open page: its document, controls, plots and texts."""

    def __init__(self, document: Document, given: Source | None):
        self.document, self.waiting = document, None
        self.sources: dict[str, Source] = {} if given is None else {UPLOADED: given}
        self.controls = _controls(given)
        self.about, self.upload = Div(stylesheets=[TEXT]), FileInput(title="Your own data", accept=FILES)
        self.upload.stylesheets = [CONTROLS]
        self.plots = {name: make() for name, make in PLOTS.items()}
        self.messages = {name: Div(css_classes=[f"{name}_message"], stylesheets=[TEXT]) for name in PLOTS}
        self.texts = {name: Div(css_classes=[f"{name}_numbers"], stylesheets=[TEXT]) for name in PLOTS}
        self._lay_out()
        for control in self.controls.values():
            control.on_change("value", lambda attr, old, new: self.update())
        # The name of the file arrives with its content, but may be set after it.
        self.upload.on_change("value", lambda attr, old, new: document.add_next_tick_callback(self.read_upload))
        self.update()

    def _lay_out(self) -> None:
        controls = self.controls
        spectrum = [controls[name] for name in ("spectrum", "data_dim", "decay")]
        rest = [control for name, control in controls.items() if control not in spectrum and name != "criterion"]
        column_of = [*spectrum, self.upload, self.about, *rest]
        self.document.add_root(column(*column_of, name="controls", sizing_mode="stretch_width"))
        for name, plot in self.plots.items():
            above = [controls["criterion"]] if name == "inference" else []
            parts = [self.messages[name], *above, plot.figure, self.texts[name]]
            for part in parts:
                part.update(sizing_mode="stretch_width", margin=(0, 0, 6, 0))
            self.document.add_root(column(*parts, name=name, sizing_mode="stretch_width"))
        self.document.title = TITLE
        self.document.template = TEMPLATE
        self.document.template_variables["panels"] = [(name, *texts) for name, texts in HEADINGS.items()]
        sliders = [control for control in controls.values() if isinstance(control, Slider)]
        names = {slider.id: slider.title for slider in sliders}
        self.document.js_on_event("document_ready", ink_of_the_page(self.plots.values()))
        self.document.js_on_event(
            "document_ready", CustomJS(args={"sliders": sliders, "names": names}, code=NAME_CONTROLS)
        )

    def read_upload(self) -> None:
        """The spectrum of a file that was chosen in the page, or why there is none."""
        name, select = Path(self.upload.filename).name, self.controls["spectrum"]
        try:
            self.sources[UPLOADED] = uploaded_spectrum(name, base64.b64decode(self.upload.value))
        except (ValueError, OSError) as error:
            self.about.text = _paragraph(f"Not read: {error}", failed=True)
            return
        select.options = [*(one for one in select.options if one[0] != UPLOADED), (UPLOADED, name)]
        if select.value == UPLOADED:
            self.update()  # another file in the place of the one that is shown
        else:
            select.value = UPLOADED

    def settings(self) -> Settings:
        """What the controls say."""
        value = {name: control.value for name, control in self.controls.items()}
        source = self._source(value["spectrum"], int(value["data_dim"]), value["decay"])
        return Settings(
            source=source,
            latent_dim=int(value["latent_dim"]),
            beta=rounded(10 ** value["beta"]),
            noise_variance=rounded(source.largest * 10 ** value["noise"]),
            learned=value["learned"] == "learned",
            coherence=value["coherence"],
            correlation=value["correlation"],
        )

    def _source(self, kind: str, data_dim: int, decay: float) -> Source:
        if kind == "digits" and kind not in self.sources:
            self.sources[kind] = digits_spectrum()
        return self.sources.get(kind) or chosen_spectrum(kind, data_dim, rounded(decay))

    def update(self) -> None:
        """Compute and show all panels, the slow one when the controls rest."""
        settings = self.settings()
        self.about.text = _paragraph(f"{settings.source.about}; noise {settings.noise_variance:g}")
        self.controls["data_dim"].disabled = self.controls["spectrum"].value not in ("geometric", "flat")
        self.controls["decay"].disabled = self.controls["spectrum"].value != "geometric"
        for name in PANELS:
            if name != SLOW:
                self.show(name, panel(name, settings))
        if self.waiting is not None:
            self.document.remove_timeout_callback(self.waiting)
        self.texts[SLOW].text = _paragraph("…")
        self.waiting = self.document.add_timeout_callback(self.update_slow, REST)

    def update_slow(self) -> None:
        self.waiting = None
        self.show(SLOW, panel(SLOW, self.settings()))

    def show(self, name: str, found: Panel) -> None:
        self.messages[name].text = _paragraph(found.says, found.failed)
        self.plots[name].fill(found.curves, self.controls["criterion"].value)
        numbers = (
            f'<pre class="numbers" tabindex="0">{escape(aligned_facts(found.numbers))}</pre>' if found.numbers else ""
        )
        commands = [f'<pre class="command" tabindex="0">{escape(command)}</pre>' for command in found.commands]
        self.texts[name].text = "".join([numbers, *commands])


def _paragraph(text: str, failed: bool = False) -> str:
    return f'<p class="{"failed" if failed else "soft"}" role="status">{escape(text)}</p>'


def _controls(given: Source | None) -> dict[str, Widget]:
    """The controls by the name of what they set; beta and the noise as decimal logarithms."""
    spectra = ["geometric", "flat", "digits"]
    if given is not None:
        spectra.append((UPLOADED, given.about))
    low, high = np.log10(BETAS)
    latent_dim = LATENTS if given is None else min(LATENTS, len(given.eigenvalues))
    controls = {
        "spectrum": Select(title="Spectrum", options=spectra, value="geometric" if given is None else UPLOADED),
        "data_dim": Slider(title="Dimensions D", start=2, end=64, step=1, value=20),
        "decay": Slider(title="Decay ℓᵢ₊₁ / ℓᵢ", start=0.3, end=0.99, step=0.01, value=0.7),
        "latent_dim": Slider(title="Latents K", start=1, end=16, step=1, value=latent_dim),
        "beta": Slider(title="β", start=low, end=high, step=0.01, value=0.3, format=_power()),
        "learned": Select(title="Noise of the decoder", options=["fixed", "learned"], value="fixed"),
        "noise": Slider(title="Noise / ℓ₁, fixed or true", start=-4, end=0.5, step=0.01, value=-1.0, format=_power()),
        "coherence": Slider(title="Coherence of the columns of A", start=0, end=0.95, step=0.01, value=0.5),
        "correlation": Slider(title="Correlation in pairs of factors", start=0, end=0.95, step=0.01, value=0.6),
        "criterion": Select(title="Error", options=list(CRITERIA.items()), value="forward_kl"),
    }
    for name, control in controls.items():
        control.update(name=name, sizing_mode="stretch_width", stylesheets=[CONTROLS])
    return controls


def _power() -> CustomJSTickFormatter:
    """Writes the number of which a slider has the decimal logarithm, as `rounded` does."""
    return CustomJSTickFormatter(code="return String(Number((10 ** tick).toPrecision(3)))")
