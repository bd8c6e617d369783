"""Who and what the simulated account has: users, other agents, the service, escalation policies."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """A user, or something else that PagerDuty names as an agent: `kind` is the type of its reference.

    Agents other than users are services, integrations and workflows (observed in log entries).
    """

    id: str
    name: str
    email: str
    kind: str = "user_reference"


BOT = User("PBOT001", "Reconciler Bot", "reconciler@example.com")
JANE = User("PJANE01", "Jane Doe", "jane.doe@example.com")
OMAR = User("POMAR01", "Omar Haddad", "omar.haddad@example.com")
ZOE = User("PZOE001", "Zoë O'Brien & Söhne", "zoe.obrien@example.com")
USERS = (BOT, JANE, OMAR, ZOE)
SERVICE_ID = "PSVC001"
SERVICE_NAME = "Sandbox Service"
SERVICE = User(SERVICE_ID, SERVICE_NAME, "", "service_reference")
INTEGRATION = User("PINT001", "Sandbox Monitoring", "", "events_api_v2_inbound_integration_reference")
WORKFLOW = User("PWKF001", "Sandbox Workflow", "", "incident_workflow_reference")
AGENTS = {"service": SERVICE, "integration": INTEGRATION, "workflow": WORKFLOW}
"""The agents other than users, by their names in the control API."""
POLICIES = {"PPOL001": "Sandbox Escalation Policy", "PPOL002": "Second Line"}
POLICY_ID = "PPOL001"
PRIORITIES = {"PPRI001": "SEV-1", "PPRI002": "SEV-2", "PPRI003": "SEV-3"}
"""The account's priorities, the most severe first."""
LEVELS = 2
"""How many levels the escalation policy of the service has."""
