"""The running program: wiring, daemon, workers, leadership and reports."""
