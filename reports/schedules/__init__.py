"""Files made by the clock: who gets what when (decision 0034).

`areas` says who keeps schedules, `rhythm` when one is due, `keeping` makes and changes them, `running` runs what is
due, `words` says when in words.
"""
