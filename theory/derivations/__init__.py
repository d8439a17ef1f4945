"""The derivation book: every closed form of `theory`, derived symbolically, checked, and readable as a page.

One module per page, in folders that mirror those of `theory`. Each has a function `derivation()` that returns the
page; `registry` finds the pages, `engine.check` checks them, `book` prints them. Needs sympy, which `import theory`
does not load.
"""

import os

os.environ.setdefault("SYMPY_CACHE_SIZE", "30000")  # sympy's own 1000, read when it is imported, is few for the proofs
