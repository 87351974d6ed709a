"""Runs the migrations on the connection that :func:`adapters.sql.migrations.migrate` holds."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
