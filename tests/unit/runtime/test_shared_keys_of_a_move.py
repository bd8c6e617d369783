"""While routes move to another product one by one, each still counts in the one that it is moved from or to."""

from pathlib import Path

import pytest

from reconciler.core.model import Side
from reconciler.core.routing import Member
from reconciler.runtime.connections import key_of
from reconciler.runtime.shared_keys import _members
from tests.support.configured import WITH_JSM
from tests.support.routes import COMMON, routes_of

GIVEN = COMMON | WITH_JSM | {"ALERT_SOURCE": "opsgenie", "OPSGENIE_QUERY": "tag: all", "JSM_QUERY": "tags: all"}


@pytest.mark.parametrize(
    ("table", "in_opsgenie", "in_jsm"),
    [
        ("opsgenie_query = 'o'\njsm_query = 'j'", ("o", True), ("j", False)),
        ("alert_source = 'jsm'\nopsgenie_query = 'o'\njsm_query = 'j'", ("o", False), ("j", True)),
        ("alert_source = 'jsm'\nquery = 'j'", None, ("j", True)),
        ("alert_source = 'jsm'\nopsgenie_query = ''\njsm_query = 'j'", None, ("j", True)),
        ("query = 'o'\nopsgenie_api_key_file = 'key'", None, None),
    ],
)
def test_a_route_counts_in_both_products_if_its_own_table_has_both_queries(
    tmp_path: Path, table: str, in_opsgenie: tuple[str, bool] | None, in_jsm: tuple[str, bool] | None
) -> None:
    (tmp_path / "key").write_text("another-key-1234")
    routes = routes_of(
        tmp_path,
        f"[routes.shop]\nservice = 'P1'\n{table}\n[routes.rest]\nservice = 'P2'\n"
        "[routes.new]\nservice = 'P3'\nalert_source = 'jsm'\nquery = 'other'\n",
        GIVEN,
    )
    shop, rest, new = routes.each
    for route, expected in ((rest, in_opsgenie), (new, in_jsm)):
        found = _members(shop, key_of(route, Side.ALERTS), {"shop", "rest", "new"})
        wanted = [Member("shop", expected[0], is_polled=expected[1])] if expected else []
        assert [Member(each.name, each.query, each.is_shared, each.is_polled) for each in found] == wanted
