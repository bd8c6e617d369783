"""The simulated Opsgenie: its Alert API v2 and what its users do in the web interface."""
