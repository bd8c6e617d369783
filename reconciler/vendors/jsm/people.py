"""Who people are: JSM names a user by account id, by display name or by e-mail address, as it likes.

Our own user is known under all three, so that it is recognised in each. Users who are named by account id alone
are looked up. Both are extras: without them our user is known by its e-mail address, and others by their ids.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.model import Person
from reconciler.errors import ReconcilerError, Transient
from reconciler.vendors.call_context import calling, current
from reconciler.vendors.http import Http
from reconciler.vendors.jsm.site import Site
from reconciler.vendors.json_fields import mapping, text

ASK_AGAIN = 600.0
"""Seconds after a refusal until our own user, or somebody else, is asked for again."""
SOON = 60.0
"""The same after a failure that may pass."""
WITHIN = 3.0
"""Seconds that the question may take: alerts are read without its answer, too."""
REMEMBERED_USERS = 10_000
_ACCOUNT_ID = re.compile(r"\d+:[0-9A-Za-z-]{8,64}|[0-9a-f]{24}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Found:
    """A user, or who they are taken for until `ask_at`, by the monotonic clock."""

    person: Person
    ask_at: float = float("inf")


class People:
    """The users of the site. For any thread.

    `email` is that of our own user. `notice` takes what an operator should know.
    """

    def __init__(self, http: Http, site: Site, email: str, notice: Callable[[str], None]) -> None:
        self._http = http
        self._site = site
        self._email = email
        self._notice = notice
        self._lock = threading.Lock()
        self._us = _Found(Person(email, email), float("-inf"))
        self._forms = frozenset({email.lower()})
        self._others: dict[str, _Found] = {}

    def us(self) -> Person:
        """Our own user, as far as it is known."""
        with self._lock:
            return self._us.person

    def forget(self) -> None:
        """Ask for our own user again, because the token was replaced."""
        with self._lock:
            self._us = _Found(self._us.person, float("-inf"))

    def ask(self) -> None:
        """Ask who we are, unless that is known."""
        with self._lock:
            now = self._http.clock.monotonic()
            if now < self._us.ask_at:
                return
            self._us = _Found(self._us.person, now + SOON)
        try:
            with calling(current().priority, WITHIN):
                found = mapping(self._http.get(self._site.users("myself")).json)
        except ReconcilerError as error:
            self._is_refused(error, now)
            return
        account_id, name = text(found.get("accountId")), text(found.get("displayName")).strip()
        forms = {account_id, name, text(found.get("emailAddress")), self._email}
        with self._lock:
            self._us = _Found(Person(account_id or self._email, name or self._email))
            self._forms = frozenset(form.strip().lower() for form in forms if form.strip())

    def known(self, owner: str) -> Person:
        """The person whom a record names, as far as that is known without a request."""
        owner = owner.strip()
        with self._lock:
            if owner.lower() in self._forms:
                return self._us.person
            found = self._others.get(owner)
        return found.person if found is not None else Person(owner, owner)

    def person(self, owner: str) -> Person:
        """The person whom a record names. An account id is looked up once; if that fails, it is the name."""
        known = self.known(owner)
        if known.name != owner.strip() or not _ACCOUNT_ID.fullmatch(known.name) or not self._may_ask(known.id):
            return known
        try:
            found = mapping(self._http.get(self._site.users("user"), [("accountId", known.id)]).json)
        except ReconcilerError as error:
            self._notice(f"JSM: a user is shown by account id, because the name cannot be read: {error}")
            return known
        return self._keep(known.id, Person(known.id, text(found.get("displayName")).strip() or known.id))

    def _may_ask(self, account_id: str) -> bool:
        """Whether to look this id up now; if so, the caller does."""
        now = self._http.clock.monotonic()
        with self._lock:
            known = self._others.get(account_id)
        if known is not None and now < known.ask_at:
            return False
        self._keep(account_id, Person(account_id, account_id), now + ASK_AGAIN)
        return True

    def _keep(self, account_id: str, person: Person, ask_at: float = float("inf")) -> Person:
        with self._lock:
            self._others[account_id] = _Found(person, ask_at)
            if len(self._others) > REMEMBERED_USERS:
                del self._others[next(iter(self._others))]
        return person

    def _is_refused(self, error: ReconcilerError, now: float) -> None:
        if isinstance(error, Transient):
            return  # asked again soon: `ask_at` is set
        with self._lock:
            self._us = _Found(self._us.person, now + ASK_AGAIN)
        self._notice(f"JSM: our own user is known by JSM_EMAIL alone, because its name cannot be read: {error}")
