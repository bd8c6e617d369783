"""Alembic's entry: runs the migrations on the connection that the program hands over, in its transaction."""

from alembic import context

from reconciler.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
