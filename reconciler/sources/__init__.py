"""Sources: where something may have happened, as keys of the work queue, each source with its own cursor."""
