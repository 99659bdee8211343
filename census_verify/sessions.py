"""Sessions as Django keeps them in the database; only their reading is written out.

They stay there: the broker may vanish at any time and nobody is thrown out (docs/decisions/0011), and
a session that was ended is ended for the next request, in every process.
"""

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions

from households.statements import Statement

READ = Statement(
    "session_by_key",
    "text",
    "SELECT session_data FROM django_session WHERE session_key = $1 AND expire_date > now()",
)


class SessionStore(DatabaseSessions):
    def load(self) -> dict:
        row = READ.row(self.session_key)
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row[0])
