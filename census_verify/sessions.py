"""Sessions as Django keeps them in the database; only their reading is written out.

They stay there: the broker may vanish at any time and nobody is thrown out (docs/decisions/0011), and
a session that was ended is ended for the next request, in every process.
"""

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.db import connection


class SessionStore(DatabaseSessions):
    def load(self) -> dict:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > now()",
                [self.session_key],
            )
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row[0])
