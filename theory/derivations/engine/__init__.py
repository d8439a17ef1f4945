"""How a page is written, proved and checked: symbols, operators, algebra, proofs and test points."""
