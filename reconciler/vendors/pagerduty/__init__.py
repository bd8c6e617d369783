"""PagerDuty's client."""
