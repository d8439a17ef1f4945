"""The derivation book: every closed form of `theory`, derived symbolically, checked, and readable as a page.

One module per result, in folders that mirror those of `theory`. Each has a function `derivation()` that returns the
page; `registry` finds them, `check` checks them, `text` and `book` print them. Needs sympy, which `import theory` does
not.
"""
