"""The site: its cloud id, which is part of all addresses of its APIs."""

import re
import threading

from reconciler.errors import Misconfigured, Transient
from reconciler.vendors.http import Http
from reconciler.vendors.json_fields import mapping, text

_ACCEPTED = frozenset(range(300, 500)) - {408, 429}
"""Statuses with which something else than a site answers."""
_CLOUD_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


class Site:
    """The cloud id, as configured or as the site itself states it. For any thread.

    `http` is a session without a key: anybody may ask a site for it.
    """

    def __init__(self, http: Http, configured: str = "") -> None:
        self._http = http
        self._lock = threading.Lock()
        self._cloud_id = configured

    def cloud_id(self) -> str:
        """The cloud id; asked for once. Misconfigured if no Atlassian site answers."""
        with self._lock:
            if not self._cloud_id:
                self._cloud_id = self._asked()
            return self._cloud_id

    def alerts(self, path: str = "") -> str:
        """A path of the account API's alerts."""
        return f"/jsm/ops/api/{self.cloud_id()}/v1/alerts{path}"

    def users(self, path: str) -> str:
        """A path of the site's users."""
        return f"/ex/jira/{self.cloud_id()}/rest/api/3/{path}"

    def _asked(self) -> str:
        try:
            answer = self._http.get("/_edge/tenant_info", accept=_ACCEPTED)
        except Transient as error:
            words = f"JSM: the cloud id of JSM_SITE_URL is not known yet (JSM_CLOUD_ID would give it): {error}"
            raise type(error)(words, error.retry_after) from None
        found = text(mapping(answer.json).get("cloudId"))
        if answer.status != 200 or not _CLOUD_ID.fullmatch(found):  # noqa: PLR2004 - HTTP
            raise Misconfigured(
                f"JSM_SITE_URL: no Atlassian site answers there ({answer.status}, without a cloud id): give the "
                "site's own address, such as https://acme.atlassian.net, or its cloud id as JSM_CLOUD_ID"
            )
        return found
