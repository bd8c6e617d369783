"""The forms in which Opsgenie may show a name that an API call gave: none of them changes who is meant."""

import html
import unicodedata
from collections.abc import Callable

from reconciler.sandbox.opsgenie.state import INTEGRATION

_CUT = 10
_FORMS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "nfc": lambda name: unicodedata.normalize("NFC", name),
    "nfd": lambda name: unicodedata.normalize("NFD", name),
    "html": lambda name: html.escape(name).encode("ascii", "xmlcharrefreplace").decode(),
    "question": lambda name: name.encode("ascii", "replace").decode(),
    "cut": lambda name: name[:_CUT],
    "integration": lambda _: INTEGRATION["name"],
}


def shown(name: str, form: str) -> str:
    """The name in one of settings.NAME_FORMS; as it is where that is empty."""
    return _FORMS[form](name) if form else name
