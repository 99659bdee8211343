"""Files of tables: what they hold (`tables`, `forms`), how they are written (`writers`), how they come about (`making`)."""

from reports.exports.making import (
    KEEP_DAYS,
    Progress,
    ask_to_stop,
    clear_old,
    file_name,
    file_path,
    forget_progress,
    kept_until,
    made_so_far,
    make,
    waiting,
    waiting_behind,
)

__all__ = [
    "KEEP_DAYS",
    "Progress",
    "ask_to_stop",
    "clear_old",
    "file_name",
    "file_path",
    "forget_progress",
    "kept_until",
    "made_so_far",
    "make",
    "waiting",
    "waiting_behind",
]
