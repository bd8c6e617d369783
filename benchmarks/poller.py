"""A plain poller for comparison: it lists everything and reads each open pair in every cycle."""

from reconciler.sandbox.wire import Request, parse_query
from tests.support.canned import PAGE, Canned, alert_id, incident_id


def poll(canned: Canned) -> int:
    """Run one cycle; returns its number of requests. Only notes are read by pair, as the lists show the states."""
    before = canned.asked

    def ask(path: str, query: str = "") -> bytes:
        return canned(Request("GET", path, parse_query(query) if query else {})).body

    for path, query in (("/opsgenie/v2/alerts", "query=status:open&order=asc"), ("/pagerduty/incidents", "")):
        for offset in range(0, max(1, canned.pairs), PAGE):
            ask(path, f"{query}&offset={offset}")
    for number in range(canned.pairs):
        ask(f"/opsgenie/v2/alerts/{alert_id(number)}/notes")
        ask(f"/pagerduty/incidents/{incident_id(number)}/notes")
    return canned.asked - before
