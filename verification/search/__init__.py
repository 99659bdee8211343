"""Finding a person the way officers type: "nguyen van an 85", a date, a number, a name and a hamlet.

Typed text becomes a `Query` (query.py), a query becomes questions to the database (asking.py), and the ids they give
become lines (found.py). Why so: docs/decisions/0014-search.md.
"""

from verification.search.asking import PAGE, PANEL, find
from verification.search.found import Found, FoundForm
from verification.search.query import MAX_TYPED, Query, parse

__all__ = ["MAX_TYPED", "PAGE", "PANEL", "Found", "FoundForm", "Query", "find", "parse"]
