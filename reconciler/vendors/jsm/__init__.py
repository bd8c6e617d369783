"""JSM's client: alerts of Jira Service Management's Operations."""
