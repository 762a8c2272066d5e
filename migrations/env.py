"""Run by Alembic: applies the migrations on the connection it is handed.

There is no way to run them otherwise: the program migrates its index when it opens it
(``mediaserver.library.migrating``).
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
