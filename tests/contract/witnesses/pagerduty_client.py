"""PagerDuty's official client (PyPI: pagerduty) against the sandbox: python -m … <address> <certificate>.

It takes https:// addresses only, so that something with TLS stands in front of the sandbox; the certificate is
that of its authority.
"""

import ssl
import sys
import warnings
from datetime import UTC, datetime
from typing import Any

from pagerduty import RestApiV2Client

from tests.contract.witnesses.steps import Step, tell

SERVICE = {"id": "PSVC001", "type": "service_reference"}
NEW = {"type": "incident", "title": "disk full", "service": SERVICE, "incident_key": "witness",
       "urgency": "low", "body": {"type": "incident_body", "details": "all of it"}}  # fmt: skip
POLICY = {"id": "PPOL001", "type": "escalation_policy_reference"}
JANE = "jane.doe@example.com"
NOT_NEEDED = "the product does not ask for it, and the sandbox does not have it"
FROM, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)


def main(url: str, ca: str) -> None:
    """Run all steps; the key and the service are the sandbox's usual ones."""
    warnings.simplefilter("ignore")  # the client warns that notes come without pages, which is documented
    client = RestApiV2Client(
        "sandbox-pagerduty-key",
        default_from="reconciler@example.com",
        base_url=f"{url}/pagerduty",
        verify=ssl.create_default_context(cafile=ca),
        headers={"X-Forwarded-Proto": "https"},
    )
    made: dict[str, Any] = {}

    def create() -> str:
        made["incident"] = client.rpost("incidents", json=NEW)
        return str(made["incident"]["status"])

    def change(**values: Any) -> dict[str, Any]:
        found: dict[str, Any] = client.rput(made["incident"], json={"type": "incident_reference", **values})
        return found

    def own(what: str) -> str:
        return f"/incidents/{made['incident']['id']}/{what}"

    def history() -> list[Any]:
        return list(client.iter_history("log_entries", FROM, UNTIL))

    def log() -> list[str]:
        rows = client.iter_all(own("log_entries"), params={"include[]": "channels"})
        return [row["type"].removesuffix("_log_entry") for row in rows]

    tell(
        [
            Step("api_key_access", lambda: client.api_key_access, "account"),
            Step("subdomain", lambda: client.subdomain, "sandbox"),
            Step("rget service", lambda: client.rget("/services/PSVC001")["name"], "Sandbox Service"),
            Step("find user by e-mail", lambda: client.find("users", JANE, attribute="email")["name"], "Jane Doe"),
            Step("rget user", lambda: client.rget("/users/PJANE01")["email"], JANE),
            Step("dict_all users", lambda: len(client.dict_all("users")), "4"),
            Step("rpost incident", create, "triggered"),
            Step("rpost incident, same key", create, "2002", "a key is refused while it is in use"),
            Step("rget incident", lambda: client.rget(own("")[:-1])["incident_key"], "witness"),
            Step("rget incident by self", lambda: client.rget(made["incident"])["title"], "disk full"),
            Step("list_all incidents", lambda: len(client.list_all("incidents")), "1"),
            Step(
                "list_all incidents by key",
                lambda: len(client.list_all("incidents", params={"incident_key": "witness", "date_range": "all"})),
                "1",
            ),
            Step("get_total incidents", lambda: client.get_total("incidents"), "1"),
            Step("rput status: acknowledged", lambda: change(status="acknowledged")["status"], "acknowledged"),
            Step("rput urgency: high", lambda: change(urgency="high")["urgency"], "high"),
            Step("rput status: acknowledged", lambda: change(status="acknowledged")["status"], "acknowledged"),
            Step("rput escalation_level: 1", lambda: change(escalation_level=1)["status"], "triggered"),
            Step("rput escalation_policy", lambda: change(escalation_policy=POLICY)["status"], "triggered"),
            Step("rput status: open", lambda: change(status="open"), "1003", "no status of PagerDuty's"),
            Step("rpost note", lambda: client.rpost(own("notes"), json={"content": "on it"})["content"], "on it"),
            Step("rget notes", lambda: [note["content"] for note in client.rget(own("notes"))], "['on it']"),
            Step(
                "iter_incident_notes",
                lambda: [
                    row["channel"]["summary"]
                    for row in client.iter_incident_notes(made["incident"]["id"], params={"include[]": "channels"})
                ],
                "['on it']",
            ),
            Step("list_all alerts of an incident", lambda: client.list_all(own("alerts")), "[]"),
            Step("rput status: resolved", lambda: change(status="resolved")["status"], "resolved"),
            Step(
                "iter_all log entries of an incident",
                lambda: sorted(set(log()) & {"trigger", "acknowledge", "escalate", "annotate", "resolve"}),
                "['acknowledge', 'annotate', 'escalate', 'resolve', 'trigger']",
            ),
            Step("iter_history log entries", lambda: len(history()) >= len(log()) > 0, "True"),
            Step("list_all oncalls", lambda: client.list_all("oncalls")[0]["user"]["summary"], "Jane Doe"),
            Step("list_all escalation policies", lambda: len(client.list_all("escalation_policies")), "2"),
            Step("list_all maintenance windows", lambda: client.list_all("maintenance_windows"), "[]"),
            Step("rget unknown incident", lambda: client.rget("/incidents/PNONE"), "2100", "there is none"),
            Step("list_all services", lambda: client.list_all("services"), "404", NOT_NEEDED),
            Step("account_has_ability", lambda: client.account_has_ability("teams"), "404", NOT_NEEDED),
        ]
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
