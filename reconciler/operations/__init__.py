"""Operators' queries and commands, as values for the command line and web pages to render."""
