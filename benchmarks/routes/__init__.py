"""What the benchmarks of several routes measure; the section is `benchmarks/sections/routes.py`."""
