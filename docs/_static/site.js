// Folds and unfolds all steps of a derivation, and filters the rows of the table of results.
document.addEventListener("DOMContentLoaded", () => {
  const steps = [...document.querySelectorAll("details.step")];
  if (steps.length) {
    const button = document.createElement("button");
    button.className = "fold-all";
    const label = () => (steps.some((step) => step.open) ? "Fold all steps" : "Unfold all steps");
    button.textContent = label();
    button.addEventListener("click", () => {
      const open = !steps.some((step) => step.open);
      steps.forEach((step) => (step.open = open));
      button.textContent = label();
    });
    steps[0].before(button);
  }

  const table = document.querySelector("table.results");
  if (table) {
    const rows = [...table.tBodies[0].rows];
    const input = document.createElement("input");
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
    });
    (table.closest(".table-wrapper") || table).before(input);
  }
});
