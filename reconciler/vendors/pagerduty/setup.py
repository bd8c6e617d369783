"""PagerDuty's view of the set-up: the owner of the key, the automation user, and the people who would be paged.

A wrong setting is Misconfigured and names itself. A state that only keeps pages from people is an objection:
incidents are created nevertheless. An answer that cannot be read gives neither.
"""

import re
from typing import Any

from reconciler.core.model import Person
from reconciler.errors import (
    Forbidden,
    Misconfigured,
    Missing,
    Permanent,
    PersonsToken,
    ReconcilerError,
    Refused,
    Transient,
)
from reconciler.vendors.http import Http
from reconciler.vendors.json_fields import items, mapping, reference, text
from reconciler.vendors.pagerduty.duty import on_duty
from reconciler.vendors.pagerduty.pages import UNREADABLE, WINDOW, Pages, check_vendor, place
from reconciler.vendors.pagerduty.rows import is_same, is_user, person_of
from reconciler.vendors.ports import PAGE, AutomationUser, OnCall, ServiceStatus

_LOOKS_LIKE_ID = re.compile(r"[PQR][A-Z0-9]{5,}")
_NO_USERS_TOKEN = frozenset({400, 402, 403, 404, 405, 410})
"""Statuses of `GET /users/me` with an account's key (400), or from which nothing can be concluded."""
_NO_PRIORITIES = UNREADABLE | {402}
"""Statuses of `GET /priorities` for a key without the right to read them, or a plan without priorities."""
_MAY_NOT_WRITE = frozenset({"observer", "read_only_user", "read_only_limited_user"})
_PAGES_NOBODY = {
    "disabled": "is disabled: nobody is paged until it is enabled in PagerDuty",
    "maintenance": "is in a maintenance window: nobody is paged until the window ends",
}


class Setup:
    """Checks of the set-up. `email` and `user` identify the automation user as configured."""

    def __init__(self, http: Http, pages: Pages, service_id: str, email: str, user: str) -> None:
        self._http = http
        self._pages = pages
        self._service_id = service_id
        self._email = email
        self._user = user

    def automation_user(self) -> AutomationUser:
        """The configured automation user; unverified if the key may not read users."""
        # PagerDuty documents that this list is searched by name; the search by address was only observed.
        for words in (self._email, self._user):
            rows = self._users(words)
            if rows is None:
                return self._user_by_id()
            row = self._with_our_address(rows)
            if row is not None:
                return self._checked(row)
        row = self._with_our_address([self._row_by_id()])
        if row is not None:
            return self._checked(row)
        raise Misconfigured(
            f"PAGERDUTY_EMAIL: PagerDuty has no user with the login e-mail {self._email}; "
            "give the automation user's, and see that PAGERDUTY_API_KEY belongs to the same account"
        )

    def check_key(self) -> None:
        """Raise PersonsToken if the key is a user's token and that user is not the automation user."""
        try:
            answer = self._http.get("/users/me", accept=_NO_USERS_TOKEN)
        except (Transient, Permanent):
            return
        except Refused:
            if self._is_turned_away():
                raise
            return
        row = mapping(mapping(answer.json).get("user"))
        owner = person_of(row)
        if owner is None or is_same(row.get("email"), self._email):
            return
        if not any(is_same(row.get(name), self._user) for name in ("id", "name", "summary")):
            pages = not self._may_be_on_call(owner)
            written = "only incidents are created" if pages else "nothing is written, as that person is on call"
            raise PersonsToken(
                f"PAGERDUTY_API_KEY: is the user token of {owner.name} ({text(row.get('email')) or owner.id}): "
                f"everything would be done in that person's name, so that {written}; give an account's REST API "
                "key, or a token of the automation user",
                pages=pages,
            )

    def _may_be_on_call(self, person: Person) -> bool:
        """Whether somebody is on call on the service now; True if that cannot be read."""
        try:
            policy_id = self.check_service().escalation_policy_id
        except ReconcilerError:
            return True
        duty = self._on_duty(policy_id) if policy_id else None
        return duty is None or any(is_user(one, person) for one in duty)

    def check_service(self) -> ServiceStatus:
        """The state of the configured service. Misconfigured if PagerDuty has none with this id."""
        try:
            answer = self._http.get(self._service_path())
        except Missing:
            raise Misconfigured(
                f"PAGERDUTY_SERVICE_ID: PagerDuty has no service {self._service_id}, or our key may not see it; "
                "take the id from the end of the service's address in the browser"
            ) from None
        except Forbidden as error:
            return ServiceStatus(
                objection=f"PAGERDUTY_SERVICE_ID: PAGERDUTY_API_KEY may not see the service {self._service_id}, "
                f"so that it is not known whether it pages anybody ({error}); give a key that may"
            )
        service = mapping(mapping(answer.json).get("service"))
        why = _PAGES_NOBODY.get(text(service.get("status")).strip().lower())
        name = text(service.get("name")) or text(service.get("summary"))
        which = f'{self._service_id} "{name}"' if name else self._service_id
        return ServiceStatus(
            reference(service.get("escalation_policy")),
            f"PAGERDUTY_SERVICE_ID: the service {which} {why}" if why else "",
            name,
            text(service.get("status")).strip().lower(),
        )

    def on_call(self, user: Person, policy_id: str) -> OnCall:
        """Who would be paged, according to the escalation policy. Unreadable answers give no objection."""
        if not policy_id:
            return OnCall()
        duty = self._on_duty(policy_id)
        name, targets = self._policy(policy_id)
        which = f'{policy_id} "{name}"' if name else policy_id
        if any(is_user(person, user) for person in [*(duty or []), *targets]):
            return OnCall(
                f"PAGERDUTY_USER, PAGERDUTY_SERVICE_ID: the automation user {user.name} is on call on the "
                f"service's escalation policy {which}: incidents it creates are acknowledged at once and page "
                "nobody; take it off every schedule and escalation policy"
            )
        if duty == []:
            return OnCall(
                f"PAGERDUTY_SERVICE_ID: nobody is on call on the service's escalation policy {which}: "
                "its incidents page nobody; put somebody on call there"
            )
        return OnCall(people=tuple(dict.fromkeys(person.name for person in duty or ())))

    def priorities(self) -> dict[str, str] | None:
        """The ids of the account's priorities by name, the most severe first; None if the key may not read them.

        Of several with one name it is the most severe, which PagerDuty itself takes (REST API, `PUT /incidents`).
        How an account answers whose plan has no priorities is not documented: 402, 404 or an empty list.
        """
        page = self._pages.page_if_allowed("/priorities", "priorities", [], 0, _NO_PRIORITIES)
        found: dict[str, str] = {}
        for row in map(mapping, page.rows if page else ()):
            name = (text(row.get("name")) or text(row.get("summary"))).strip()
            if name and text(row.get("id")):
                found.setdefault(name, text(row.get("id")))
        return None if page is None else found

    def confirm_key(self) -> None:
        """One cheap read of no particular incident. Refused if the account refuses the key."""
        self._http.get(self._service_path())

    def _is_turned_away(self) -> bool:
        """Whether the key is refused elsewhere, too: then the account is concerned, not one address."""
        try:
            self.confirm_key()
        except Refused:
            return True
        except ReconcilerError:
            return False
        return False

    def _service_path(self) -> str:
        return place("services", self._service_id, "service")

    def _users(self, words: str) -> list[dict[str, Any]] | None:
        """Users that match the words, ours among the last; None if the key may not list users."""
        found: list[dict[str, Any]] = []
        before: list[Any] = []
        for offset in range(0, WINDOW - PAGE + 1, PAGE):
            page = self._pages.page_if_allowed("/users", "users", [("query", words)], offset)
            if page is None:
                return None
            if page.rows == before:  # the list has ended, even if PagerDuty claims more
                break
            before = page.rows
            found += map(mapping, page.rows)
            if not page.more or self._with_our_address(found):
                break
        return found

    def _with_our_address(self, found: list[dict[str, Any]]) -> dict[str, Any] | None:
        return next((row for row in found if is_same(row.get("email"), self._email)), None)

    def _row_by_id(self) -> dict[str, Any]:
        """The configured user's row, if an id was given and the key may read it."""
        if not _LOOKS_LIKE_ID.fullmatch(self._user):
            return {}
        answer = self._http.get(place("users", self._user, "user"), accept=UNREADABLE)
        return mapping(mapping(answer.json).get("user"))

    def _user_by_id(self) -> AutomationUser:
        """The configured user, read by id if one was given; else unverified."""
        if not _LOOKS_LIKE_ID.fullmatch(self._user):
            return AutomationUser(Person("", self._user))
        answer = self._http.get(place("users", self._user, "user"), accept=UNREADABLE)
        if answer.status == 403:  # noqa: PLR2004 - HTTP
            return AutomationUser(Person(self._user, self._user))
        if answer.status == 404:  # noqa: PLR2004 - HTTP
            check_vendor(answer, "/users/{id}")
            raise Misconfigured(
                f"PAGERDUTY_USER: PagerDuty has no user {self._user}; give the automation user's id or name"
            )
        row = mapping(mapping(answer.json).get("user"))
        if text(row.get("email")) and not is_same(row.get("email"), self._email):
            raise self._mismatch(row)
        return self._checked(row)

    def _checked(self, row: dict[str, Any]) -> AutomationUser:
        names = (row.get("id"), row.get("name"), row.get("summary"))
        if not text(row.get("id")) or not any(is_same(name, self._user) for name in names):
            raise self._mismatch(row)
        name = text(row.get("name")) or text(row.get("summary")) or self._user
        role = text(row.get("role")).strip().lower()
        objection = (
            f"PAGERDUTY_EMAIL: the role of {name} ({role}) may not write: give it the role responder or higher"
        )
        return AutomationUser(Person(text(row.get("id")), name), objection if role in _MAY_NOT_WRITE else "")

    def _mismatch(self, row: dict[str, Any]) -> Misconfigured:
        name = text(row.get("name")) or text(row.get("summary"))
        who = f"{name} ({text(row.get('id'))}, {text(row.get('email'))})"
        return Misconfigured(
            f"PAGERDUTY_EMAIL, PAGERDUTY_USER: not the same user: {self._email} and {self._user} were given, "
            f"PagerDuty knows {who}; set both to the automation user's"
        )

    def _on_duty(self, policy_id: str) -> list[Person] | None:
        """The people on call on the policy now; None if that cannot be read."""
        try:
            return [person for _, person in on_duty(self._pages, policy_id)]
        except ReconcilerError:
            return None

    def _policy(self, policy_id: str) -> tuple[str, list[Person]]:
        """The policy's name, and the people to whom its rules escalate; empty if that cannot be read."""
        try:
            answer = self._http.get(place("escalation_policies", policy_id, "escalation policy"))
        except ReconcilerError:
            return "", []
        policy = mapping(mapping(answer.json).get("escalation_policy"))
        rules = (mapping(rule) for rule in items(policy.get("escalation_rules")))
        targets = [mapping(target) for rule in rules for target in items(rule.get("targets"))]
        people = (person_of(row) for row in targets if not text(row.get("type")).startswith("schedule"))
        return text(policy.get("name")) or text(policy.get("summary")), [one for one in people if one]
