"""What stands in the way of each must or aim that is missed: (job, line) -> sentences. Filled by whoever measured last."""

WHY: dict[tuple[str, str], str] = {
    ("login_storm", "one login: p95"): "Checking a password costs what Argon2 is meant to cost (100 MB, two passes).",
}
