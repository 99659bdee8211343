"""Statements that PostgreSQL plans once a connection instead of once a request.

For the few that every request or every save sends: their planning took three times as long as their doing.
Plain SQL `PREPARE`, so whatever pools connections must pool them by session.
"""

from django.db import connection


class Statement:
    """`sql` names its values $1, $2 … and `types` gives the type of each."""

    def __init__(self, name: str, types: str, sql: str):
        self.name = name
        values = ", ".join("%s" for _ in types.split(",") if types)
        # no brackets without values: PostgreSQL takes none
        self.prepare_sql = f"PREPARE {name} {f'({types})' if types else ''} AS {sql}"
        self.execute_sql = f"EXECUTE {name} {f'({values})' if types else ''}"

    def rows(self, *values) -> list[tuple]:
        with connection.cursor() as cursor:
            prepared = self._prepared_on_this_connection()
            if self.name not in prepared:
                cursor.execute(self.prepare_sql)
                prepared.add(self.name)
            cursor.execute(self.execute_sql, values)
            return cursor.fetchall()

    def row(self, *values) -> tuple | None:
        return next(iter(self.rows(*values)), None)

    @staticmethod
    def _prepared_on_this_connection() -> set[str]:
        """Forgotten with the connection: a new one knows none of them."""
        kept = getattr(connection, "prepared_statements", None)
        if kept is None or kept[0] is not connection.connection:
            kept = connection.prepared_statements = (connection.connection, set())
        return kept[1]
