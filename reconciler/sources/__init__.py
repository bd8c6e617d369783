"""Sources: each finds pairs in which something may have happened, adds their keys, and moves its own cursor."""
