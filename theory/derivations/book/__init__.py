"""How a page is shown: in the terminal, as Markdown and as LaTeX."""
