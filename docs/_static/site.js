// Folds and unfolds all steps of a derivation, filters the rows of the table of results, and mends what the keyboard and
// screen readers need.
document.addEventListener("DOMContentLoaded", () => {
  const steps = [...document.querySelectorAll("details.step")];
  if (steps.length) {
    const button = document.createElement("button");
    button.className = "fold-all";
    const label = () => {
      button.textContent = steps.some((step) => step.open) ? "Fold all steps" : "Unfold all steps";
    };
    label();
    button.addEventListener("click", () => {
      const open = !steps.some((step) => step.open);
      steps.forEach((step) => (step.open = open));
    });
    steps.forEach((step) => step.addEventListener("toggle", label));
    steps[0].before(button);
  }

  const table = document.querySelector("table.results");
  if (table) {
    const rows = [...table.tBodies[0].rows];
    const input = document.createElement("input");
    const count = document.createElement("output");
    input.type = "search";
    input.className = "filter";
    input.setAttribute("aria-label", "Filter the results");
    input.placeholder = "Filter: a word of a claim, a function, a figure, a paper";
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/);
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      });
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} results`;
    });
    (table.closest(".table-wrapper") || table).before(input, count);
  }

  // What scrolls sideways is a stop of the tab key, so that the arrow keys scroll it.
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  document.querySelectorAll("pre, div.math, .table-wrapper").forEach((box) => observer.observe(box));

  // The sidebars of a narrow screen are opened by labels of hidden checkboxes, which only a pointer reaches.
  document.querySelectorAll(".nav-overlay-icon, .toc-overlay-icon").forEach((label) => {
    label.tabIndex = 0;
    label.setAttribute("role", "button");
    label.setAttribute("aria-label", label.control.getAttribute("aria-label"));
    const tell = () => label.setAttribute("aria-expanded", label.control.checked);
    tell();
    label.control.addEventListener("change", tell);
    label.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      label.click();
    });
  });

  // Sphinx makes the captions of the contents headings without a level.
  document.querySelectorAll(".caption[role=heading]").forEach((caption) => caption.setAttribute("aria-level", "2"));
});
