"""Who is on call on an escalation policy."""

from typing import Any

from reconciler.core.model import SOMEBODY, Person
from reconciler.vendors.json_fields import mapping, text, whole
from reconciler.vendors.pagerduty.pages import Pages
from reconciler.vendors.pagerduty.rows import person_of


def on_duty(pages: Pages, policy_id: str) -> list[tuple[int, Person]]:
    """The people on call on the policy now, each with the policy's level (from 1). Raises what a read raises."""
    asked = [("escalation_policy_ids[]", policy_id), ("time_zone", "UTC")]
    rows = [mapping(row) for page in pages.all("/oncalls", "oncalls", asked) for row in page.rows]
    ours = [row for row in rows if _policy_of(row) in ("", policy_id)]
    return [(whole(row.get("escalation_level")), person_of(row.get("user")) or SOMEBODY) for row in ours]


def _policy_of(row: dict[str, Any]) -> str:
    return text(mapping(row.get("escalation_policy")).get("id"))
