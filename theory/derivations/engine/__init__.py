"""How a page is made, proved and checked: symbols, operators, algebra, proofs and test points."""
