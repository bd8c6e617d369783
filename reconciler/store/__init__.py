"""The snapshot and the ledger on disk. The only room that knows SQLAlchemy."""
