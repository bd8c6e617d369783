"""One module a group of figures. Each has `run(scale, folder)` and yields figures and curves."""
