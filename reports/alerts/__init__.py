"""What wants looking at, and who is told of it (product.md section 4, decision 0030).

`rules` finds, `making` keeps the rows, `words` says them, `bell` counts them for the navigation, `mail` sends them.
"""
