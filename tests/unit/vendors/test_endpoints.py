"""Paths without ids: a label of a metric must not be anything that a vendor or a person has chosen."""

import pytest

from reconciler.vendors.endpoints import route_of


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v2/alerts", "/v2/alerts"),
        ("/v2/alerts?limit=1", "/v2/alerts"),
        ("/v2/alerts/0b-7/acknowledge?identifierType=id", "/v2/alerts/{id}/acknowledge"),
        ("/v2/alerts/requests/0b-7", "/v2/alerts/requests/{id}"),
        ("/v2/alerts/acme_customer", "/v2/alerts/{id}"),
        ("/v2/alerts/count", "/v2/alerts/count"),
        ("/v2/alerts/saved-searches", "/v2/alerts/{id}"),
        ("/v2/alerts/..", "/v2/alerts/{id}"),
        ("/v3/alerts", "/{id}/alerts"),
        ("/incidents/PABC123/log_entries", "/incidents/{id}/log_entries"),
        ("/users/me", "/users/me"),
        ("/users/PABC123", "/users/{id}"),
        ("/jsm/ops/api/7d2f-acme/v1/alerts?size=1", "/jsm/ops/api/{cloudId}/v1/alerts"),
        ("/jsm/ops/api/alerts/v1/alerts/a1/notes", "/jsm/ops/api/{cloudId}/v1/alerts/{id}/notes"),
        ("/ex/jira/7d2f-acme/rest/api/3/user?accountId=712020:1", "/ex/jira/{cloudId}/rest/api/3/user"),
        ("/jsm/ops/api/7d2f-acme/v1/alerts/3", "/jsm/ops/api/{cloudId}/v1/alerts/{id}"),
        ("/_edge/tenant_info", "/_edge/tenant_info"),
    ],
)
def test_a_route_consists_of_fixed_path_segments_only(path: str, route: str) -> None:
    assert route_of(path) == route
