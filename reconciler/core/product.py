"""The product that raises the alerts: its names in texts, in identifiers and in settings.

Inside the program the alert side is `Side.ALERTS`, whichever product it is. Its name appears only where something
is shown or written: in texts for people, kinds of action, metrics, `--json` and names of settings.
"""

from dataclasses import dataclass

from reconciler.core.model import Kind, Side


@dataclass(frozen=True, slots=True)
class Product:
    """One product.

    `name` is for people, `key` for machines: the value of ALERT_SOURCE. `api_url`, `credential` and `query` are
    names of environment variables, `policies` the beginning of those that say what follows from its alerts.
    `unacknowledges_by_name`: an un-acknowledgement can be made in somebody's name, as others can.
    """

    name: str
    key: str
    api_url: str
    credential: str
    query: str
    policies: str
    unacknowledges_by_name: bool

    def name_of(self, side: Side) -> str:
        """A vendor's name as people write it."""
        return "PagerDuty" if side is Side.PAGERDUTY else self.name

    def key_of(self, side: Side) -> str:
        """A vendor's name in metrics, logs and `--json`."""
        return side.value if side is Side.PAGERDUTY else self.key

    def credential_of(self, side: Side) -> str:
        """The variable of a vendor's key."""
        return "PAGERDUTY_API_KEY" if side is Side.PAGERDUTY else self.credential

    def api_url_of(self, side: Side) -> str:
        """The variable of the address of a vendor's API."""
        return "PAGERDUTY_API_URL" if side is Side.PAGERDUTY else self.api_url

    def kind(self, kind: Kind) -> str:
        """A kind of action as it is shown: the vendor, dot, verb."""
        return self.word(kind.value)

    def word(self, internal: str) -> str:
        """One of the program's own words as it is shown: a kind, a source, a lane, a subject.

        Inside, what belongs to the alert side begins with `opsgenie`, whichever product it is.
        """
        rest = internal.removeprefix(Side.ALERTS.value)
        return self.key + rest if rest != internal and not rest[:1].isalnum() else internal


OPSGENIE = Product(
    name="Opsgenie",
    key="opsgenie",
    api_url="OPSGENIE_API_URL",
    credential="OPSGENIE_API_KEY",
    query="OPSGENIE_QUERY",
    policies="ON_OPSGENIE",
    unacknowledges_by_name=True,
)
JSM = Product(
    name="JSM",
    key="jsm",
    api_url="JSM_API_URL",
    credential="JSM_API_TOKEN",
    query="JSM_QUERY",
    policies="ON_ALERT",
    unacknowledges_by_name=False,
)
PRODUCTS = {product.key: product for product in (OPSGENIE, JSM)}
"""Every product by the value of ALERT_SOURCE."""


def product_of(source: str | None) -> Product:
    """The product that a database's alerts come from. One that names none is from before there were several."""
    return OPSGENIE if source is None else PRODUCTS[source]
