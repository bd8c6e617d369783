"""Opsgenie's client."""
