"""The simulated PagerDuty: its REST API v2 and what its users do in the web interface."""
