"""Operators' queries and commands, as values that the command line and web pages render."""
