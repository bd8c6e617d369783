"""Keeps Opsgenie alerts and PagerDuty incidents in agreement by polling both."""

__version__ = "0.2.0"
