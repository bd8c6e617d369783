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
    names of environment variables.
    """

    name: str
    key: str
    api_url: str
    credential: str
    query: str

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
        return f"{self.key_of(kind.side)}.{kind.value.partition('.')[2]}"


OPSGENIE = Product("Opsgenie", "opsgenie", "OPSGENIE_API_URL", "OPSGENIE_API_KEY", "OPSGENIE_QUERY")
JSM = Product("JSM", "jsm", "JSM_API_URL", "JSM_API_TOKEN", "JSM_QUERY")
PRODUCTS = {product.key: product for product in (OPSGENIE, JSM)}
"""Every product by the value of ALERT_SOURCE."""
