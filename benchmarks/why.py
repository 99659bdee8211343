"""What stands in the way of each must or aim that is missed: (job, line) -> sentences. Filled by whoever measured last."""

WHY: dict[tuple[str, str], str] = {}

ARITHMETIC = """
## The country

To be filled.
"""
