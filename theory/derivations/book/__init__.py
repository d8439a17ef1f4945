"""How a page is shown: one layout, and one writer each for the terminal, Markdown and LaTeX."""
