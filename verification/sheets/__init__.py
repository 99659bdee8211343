"""Checklists on paper: printed by hamlet (`printing`, `making`, `typesetting`), their exceptions typed later
(`language`), checked and recorded (`entering`). `codes` are the numbers on the paper."""
