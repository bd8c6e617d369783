"""The settings that an error about a session with a vendor names: its address and its key."""

from dataclasses import dataclass

JSM_KEYED = "JSM integration"
"""The session with JSM that sends the key of an integration instead of a user's token."""
JSM_SITE = "JSM site"
"""The session with a site, which is asked for its cloud id only."""


@dataclass(frozen=True, slots=True)
class Variables:
    """Names of environment variables. `key` is empty for a session without one."""

    address: str
    key: str


_OTHERS = {
    "JSM": Variables("JSM_API_URL", "JSM_API_TOKEN"),
    JSM_KEYED: Variables("JSM_API_URL", "JSM_INTEGRATION_KEY"),
    JSM_SITE: Variables("JSM_SITE_URL", ""),
}


def variables_of(session: str) -> Variables:
    """The variables of a session, by its name."""
    upper = session.upper()
    return _OTHERS.get(session) or Variables(f"{upper}_API_URL", f"{upper}_API_KEY")
