"""Creates the tables of a new database, and collects the static files, as the server does when it starts."""

import django

if __name__ == "__main__":
    django.setup()
    from django.db import connection

    from console.server.preparation import prepare

    prepare()
    if connection.vendor == "sqlite":
        # A copy of the file alone must be complete.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
