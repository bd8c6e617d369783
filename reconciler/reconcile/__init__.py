"""One pair: read, decide, commit, deliver."""
