"""Jira Service Management's Operations (JSM), simulated: a second product on Opsgenie's machine for alerts."""
