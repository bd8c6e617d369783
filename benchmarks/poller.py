"""The plain poller to compare with: it lists everything and reads each open pair, every cycle."""

from reconciler.sandbox.wire import Request, parse_query
from tests.support.canned import PAGE, Canned, alert_id, incident_id


def poll(canned: Canned) -> int:
    """One cycle; how many requests it made. Only notes are read one by one: the lists show the states."""
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
