"""`python -m reconciler` is the same as `reconciler`."""

from reconciler.cli.commands import main

main()
