"""PostgreSQL as Django has it, with a quicker look at whether a kept connection still lives.

`CONN_HEALTH_CHECKS` asks `SELECT 1` before every request, which is a ninth of the questions of a save. A
server that has gone or was restarted has closed its end: the socket says so without being asked. What a
socket cannot know (a host without power) shows at the first statement, as it would a moment after any check.
"""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        if self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        # between requests nothing is due: whatever is to be read there is a farewell
        return not poll.poll(0)
