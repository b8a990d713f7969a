"""Runs the migrations on the connection that Database.migrate passes."""

from alembic import context

from directory.store.models import Model

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Model.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
