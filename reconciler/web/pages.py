"""HTML from the templates: everything that a template fills in passes one filter, which no template can leave out.

The filter removes secrets and shows unprintable characters, those that change the direction of text included, as
escapes. Jinja then escapes what has a meaning in HTML.
"""

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from reconciler.observability.logs import printable, redaction

PACKAGE = "reconciler.web"


class Pages:
    """The templates. `secrets` returns those of now; each that was valid once stays hidden."""

    def __init__(self, secrets: Callable[[], Iterable[str]]) -> None:
        self._secrets = secrets
        self._hidden: frozenset[str] = frozenset()
        self._redact = redaction(())
        self._templates = Environment(
            loader=PackageLoader(PACKAGE),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=self._shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def html(self, template: str, **values: object) -> str:
        """A page."""
        self._renew()
        return self._templates.get_template(template).render(values)

    def data(self, document: dict[str, Any]) -> Any:
        """A document without secrets."""
        self._renew()
        return self._redact(document)

    def _renew(self) -> None:
        known = self._hidden | frozenset(self._secrets())
        if known != self._hidden:
            self._hidden, self._redact = known, redaction(known)

    def _shown(self, value: object) -> object:
        """A text as it may be shown. What is markup already has been through here."""
        if isinstance(value, str) and not hasattr(value, "__html__"):
            return printable(self._redact(value))
        return value


@cache
def asset(name: str) -> bytes:
    """A file that the pages refer to."""
    return (files(PACKAGE) / "static" / name).read_bytes()
