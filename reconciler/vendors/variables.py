"""Sessions with vendors by name: whose they are, and the settings of their address and key, for errors."""

from dataclasses import dataclass

JSM_KEYED = "JSM integration"
"""The session with JSM that sends the key of an integration instead of a user's token."""
JSM_SITE = "JSM site"
"""The session with a site, which is asked for its cloud id only."""


@dataclass(frozen=True, slots=True)
class Variables:
    """Names of variables; `key` is empty for a session without one. `vendor` is whose session it is."""

    vendor: str
    address: str
    key: str


_OTHERS = {
    "JSM": Variables("JSM", "JSM_API_URL", "JSM_API_TOKEN"),
    JSM_KEYED: Variables("JSM", "JSM_API_URL", "JSM_INTEGRATION_KEY"),
    JSM_SITE: Variables("JSM", "JSM_SITE_URL", ""),
}


def variables_of(session: str) -> Variables:
    """The variables of a session, by its name."""
    upper = session.upper()
    return _OTHERS.get(session) or Variables(session, f"{upper}_API_URL", f"{upper}_API_KEY")
