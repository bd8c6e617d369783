"""Who and what the simulated account has: users, other agents, services, escalation policies."""

from dataclasses import dataclass

from reconciler.sandbox.settings import MOST_SERVICES


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
_SERVICE_NAMES = ("Sandbox Service", *(f"Sandbox Service {number}" for number in range(2, MOST_SERVICES + 1)))
SERVICES = {
    service.id: service
    for service in (
        User(f"PSVC{number:03}", name, "", "service_reference") for number, name in enumerate(_SERVICE_NAMES, 1)
    )
}
"""All services that there can be, by their ids; the setting `services` says how many of them there are."""
SERVICE_ID = "PSVC001"
SERVICE = SERVICES[SERVICE_ID]
INTEGRATION = User("PINT001", "Sandbox Monitoring", "", "events_api_v2_inbound_integration_reference")
WORKFLOW = User("PWKF001", "Sandbox Workflow", "", "incident_workflow_reference")
AGENTS = {"service": SERVICE, "integration": INTEGRATION, "workflow": WORKFLOW}
"""The agents other than users, by their names in the control API."""
POLICIES = {"PPOL001": "Sandbox Escalation Policy", "PPOL002": "Second Line"}
POLICY_ID = "PPOL001"
PRIORITIES = {"PPRI001": "SEV-1", "PPRI002": "SEV-2", "PPRI003": "SEV-3"}
"""The account's priorities, the most severe first."""
LEVELS = 2
"""How many levels the escalation policy of the services has."""
