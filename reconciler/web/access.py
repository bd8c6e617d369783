"""Who may read the status page: on loopback everybody on this machine, elsewhere who gives the password.

Without a password a browser must address the page by a name of loopback. Otherwise a page of another site whose
name was made to resolve to 127.0.0.1 (DNS rebinding) could read it in the browser of somebody on this machine.
"""

import re

from werkzeug.datastructures import Authorization

from reconciler.settings_texts import is_loopback
from reconciler.web.webhooks import is_same

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::[0-9]{1,5})?", re.ASCII)


def names_loopback(host: str) -> bool:
    """Whether the header Host names this machine's loopback, at any port."""
    found = _HOST.fullmatch(host)
    return found is not None and is_loopback(found[1] or found[2])


def is_let_in(given: Authorization | None, password: str) -> bool:
    """Whether the request brings the password, under any user name; compared in constant time."""
    if given is None or given.type != "basic":
        return False
    return is_same(given.password, password)
