"""Persistence: snapshot, outbox, work queue and cursors. The only package that imports SQLAlchemy."""
