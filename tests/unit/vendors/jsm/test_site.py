"""The cloud id: configured, or asked for once, without a key."""

from typing import Any

import pytest
import responses

from reconciler.errors import Blocked, Misconfigured, Transient, Unknown
from tests.support.wire.jsm import CLOUD, SITE, Jsm

TENANT = f"{SITE}/_edge/tenant_info"


def test_the_site_is_asked_once_and_without_a_key(wire: responses.RequestsMock) -> None:
    wire.get(TENANT, json={"cloudId": CLOUD})
    site = Jsm(cloud="").site
    assert site.alerts("/a1") == f"/jsm/ops/api/{CLOUD}/v1/alerts/a1"
    assert site.users("myself") == f"/ex/jira/{CLOUD}/rest/api/3/myself"
    assert len(wire.calls) == 1
    assert "Authorization" not in wire.calls[0].request.headers


def test_a_configured_cloud_id_is_not_asked_for() -> None:
    assert Jsm().site.cloud_id() == CLOUD


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {}), (200, {"cloudId": None}), (200, {"cloudId": "../../other"}), (200, ["x"]), (404, {}),
        (302, None), (403, None),
    ],
)  # fmt: skip
def test_what_is_no_atlassian_site_names_both_settings(
    wire: responses.RequestsMock, status: int, body: Any
) -> None:
    wire.get(TENANT, status=status, json=body, headers={"Location": "https://elsewhere.example"})
    with pytest.raises(Misconfigured, match=r"^JSM_SITE_URL: no Atlassian site answers there .*JSM_CLOUD_ID"):
        Jsm(cloud="").site.cloud_id()
    assert len(wire.calls) == 1, "a redirect is not followed"


@pytest.mark.parametrize(("status", "text", "kind"), [(503, "", Unknown), (200, "<html>", Unknown)])
def test_a_site_that_does_not_answer_now_is_asked_again(
    wire: responses.RequestsMock, status: int, text: str, kind: type[Transient]
) -> None:
    wire.get(TENANT, status=status, body=text)
    site = Jsm(cloud="").site
    with pytest.raises(kind, match=r"the cloud id of JSM_SITE_URL is not known yet \(JSM_CLOUD_ID"):
        site.cloud_id()
    wire.upsert("GET", TENANT, json={"cloudId": CLOUD})
    assert site.cloud_id() == CLOUD
    assert not issubclass(kind, Blocked)
