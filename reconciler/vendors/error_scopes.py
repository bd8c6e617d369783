"""The meaning of answers other than 2xx: one table, read from top to bottom; the first matching row decides.

The class of the error is its scope (see `reconciler.errors`): Permanent concerns the request, Missing and
Forbidden one object, Refused and Misconfigured the account or a setting, Blocked the network path. NotExecuted and
Unknown mean that it may work later. The row's advice names the setting and the fix.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from reconciler.errors import (
    Blocked,
    Forbidden,
    Misconfigured,
    Missing,
    NotExecuted,
    Permanent,
    ReconcilerError,
    Refused,
    RefusedQuery,
    Transient,
    Unknown,
)
from reconciler.vendors.variables import JSM_KEYED, variables_of


class At(Enum):
    """The target of a request: one object, by its id; a list, to read it; or a collection, to add to it."""

    OBJECT = "object"
    LIST = "list"
    CREATION = "creation"


@dataclass(frozen=True, slots=True)
class Reply:
    """The parts of an answer that decide its meaning. `own`: the body is an error in the vendor's own JSON."""

    vendor: str
    at: At
    status: int
    own: bool = False
    html: bool = False
    code: int | None = None
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """One row: it matches a reply that has everything it names. Code and words require the vendor's own JSON."""

    means: type[ReconcilerError]
    advice: str = ""
    vendor: str = ""
    at: Collection[At] = tuple(At)
    statuses: Collection[int] = range(1000)
    codes: Collection[int] | None = None
    words: re.Pattern[str] | None = None
    own: bool | None = None
    html: bool | None = None

    def fits(self, reply: Reply) -> bool:
        """Whether this row matches the reply."""
        return (
            self.vendor in ("", reply.vendor)
            and reply.at in self.at
            and reply.status in self.statuses
            and self.own in (None, reply.own)
            and self.html in (None, reply.html)
            and (self.codes is None or (reply.own and reply.code in self.codes))
            and (self.words is None or (reply.own and any(map(self.words.search, reply.phrases))))
        )


OG, PD, JSM, KEYED = "Opsgenie", "PagerDuty", "JSM", JSM_KEYED
_OBJECT, _LIST, _CREATION = (At.OBJECT,), (At.LIST,), (At.CREATION,)

_NOT_OUR_TEXT = r"^(?!(?:the )?(?:incident )?(?:title|body|details|content|note|description|incident[ _]key)\b)"
"""PagerDuty's messages about the texts that we sent may quote them; these concern the request."""
_GONE = (
    r"(?:(?:can)?not|n't) (?:be )?(?:found|authorized|allowed|permitted|valid|active|exist)|deactivated|disabled|"
    r"deleted|inactive|invalid"
)
_FROM = re.compile(
    r"""\bFrom:?\s+header|["'`][Ff]rom:?["'`]\s+(?:\w+\s+)?header|header:?\s+["'`]?From\b|"""
    rf"(?i:{_NOT_OUR_TEXT}(?!assign)(?:[^'\"`]*?\b)?(?:requester|requesting user|user)\b[^.]{{0,40}}\b(?:{_GONE}))"
)
_SERVICE = re.compile(
    rf"(?i){_NOT_OUR_TEXT}(?:[^'\"`]*?\b)?(?:service\b[^.]{{0,40}}\b(?:{_GONE}|must be|maintenance)|"
    r"disabled service\b|maintenance window\b)"
)
_POLICY = re.compile(
    rf"(?i){_NOT_OUR_TEXT}(?:[^'\"`]*?\b)?(?:escalation policy\b[^.]{{0,40}}\b(?:{_GONE})|"
    r"no(?:body| one| users?)?\b[^.]{0,30}\bon[ -]call\b)"
)
_LOG_LIMIT = re.compile(r"(?i)log entry limit")
_PLAN = re.compile(
    r"(?i)\b(?:your|current|this) (?:\w+ )?plan\b|\bupgrade\b.{0,30}\bplan\b|\bplan (?:does|is) not\b"
)
_KEY_WORDS = re.compile(
    r"(?i)^(?:the )?(?:api )?key (?:format )?(?:is )?(?:not valid|invalid|expired|disabled|deleted)"
)
_ACCOUNT_WORDS = re.compile(
    r"(?i)^(?:your |the |this )?(?:opsgenie )?(?:account|customer|subscription|trial)\b[^.]{0,30}\b"
    r"(?:expired|suspended|deactivated|disabled|deleted|closed|locked|ended|not active|inactive)"
)

_TOO_MANY = "too many requests, not carried out"
_NOT_ITS_OWN = (
    "this is not {vendor}'s own answer: see whether a proxy or a firewall (WAF) answers in its place, "
    "and whether {address} is the address of the API"
)
_URL = "see whether {address} is the address of the API and of nothing below it"
_EMAIL = (
    "see PAGERDUTY_EMAIL: it must be the login e-mail of a PagerDuty user who is there and whose role may respond "
    "to incidents"
)
_SERVICE_ID = (
    "see PAGERDUTY_SERVICE_ID: the service must be there, enabled, out of maintenance, and visible to "
    "PAGERDUTY_API_KEY"
)
_NOBODY = (
    "see the escalation policy of the service PAGERDUTY_SERVICE_ID: it must be there, "
    "and somebody must be on call on it"
)
_KEY = {
    OG: "check OPSGENIE_API_KEY (an integration that is switched off is turned away too), and that "
    "OPSGENIE_API_URL is the account's region (EU: https://api.eu.opsgenie.com)",
    PD: "check PAGERDUTY_API_KEY: a REST API key is needed, not an integration's routing key nor an OAuth token; "
    "and that PAGERDUTY_API_URL is the account's region (EU: https://api.eu.pagerduty.com)",
    JSM: "check JSM_EMAIL and JSM_API_TOKEN: the token is wrong or has expired (none lasts for more than a year), "
    "lacks a scope (read:ops-alert:jira-service-management, write:ops-alert:jira-service-management), or is a "
    "service account's, which Operations does not admit: take one of a person's account that may use Operations",
    KEYED: "check JSM_INTEGRATION_KEY: it must be the key of an API integration of Operations",
}
_RIGHTS = {
    OG: "OPSGENIE_API_KEY lacks a right: take the key of an API integration that may read, create and update; not "
    "an account key, and not read-only",
    PD: "PAGERDUTY_API_KEY lacks a right: a read-only key cannot write, and a scoped one needs incidents.read and "
    "incidents.write",
    JSM: "the user JSM_EMAIL lacks a right: give that account access to Operations and to the alerts' teams",
    KEYED: "JSM_INTEGRATION_KEY lacks a right: its integration must be allowed to write alerts",
}
_ACCOUNT = "see the {vendor} account: whether it is active and its plan includes the API"
_ONLY_THIS = (
    "only this one is refused while others pass: see which team may see it, "
    "and whether a firewall dislikes its text"
)
_QUERY = "see {VENDOR}_QUERY: {vendor} cannot search by it, and until that is fixed no alert is seen"
_NO_OPERATIONS = (
    "Operations alerts are not on this site (yet), or the cloud id is wrong: see JSM_SITE_URL and JSM_CLOUD_ID; "
    "nothing is concluded from it about any alert"
)

TABLE: tuple[AnswerRow, ...] = (
    # Transient, whatever the body says.
    AnswerRow(statuses=(429,), means=NotExecuted, advice=_TOO_MANY),
    AnswerRow(vendor=PD, codes=(2020,), means=NotExecuted, advice=_TOO_MANY),
    AnswerRow(statuses=(408, *range(500, 1000)), means=Unknown),
    # PagerDuty's own words and codes, which are more specific than its status.
    AnswerRow(vendor=PD, words=_FROM, means=Refused, advice=_EMAIL),
    AnswerRow(vendor=PD, codes=(1005, 2000, 2016), means=Unknown),
    # One way to page somebody again; another one may be open.
    AnswerRow(vendor=PD, codes=(1014, 1015, 2015), at=_OBJECT, statuses=(400, 409, 422), means=Permanent),
    AnswerRow(vendor=PD, codes=(1008, 1018, 2011, 2013), means=Refused, advice=_EMAIL),
    AnswerRow(vendor=PD, words=_SERVICE, means=Refused, advice=_SERVICE_ID),
    AnswerRow(vendor=PD, words=_POLICY, means=Refused, advice=_NOBODY),
    AnswerRow(vendor=PD, codes=(1014, 1015), means=Refused, advice=_NOBODY),
    AnswerRow(vendor=PD, codes=(5002,), words=_LOG_LIMIT, statuses=(400, 413, 422), means=Permanent),
    AnswerRow(vendor=PD, codes=(5002,), means=Refused, advice=_SERVICE_ID),
    AnswerRow(vendor=PD, codes=(2007, 2008, 2012, 2014), means=Refused, advice=_ACCOUNT),
    AnswerRow(vendor=PD, codes=(2018,), at=_OBJECT, means=Forbidden, advice=_ONLY_THIS),
    AnswerRow(vendor=PD, codes=(2100, 5001), at=_OBJECT, means=Missing),
    AnswerRow(vendor=PD, codes=(2010,), at=_OBJECT, statuses=(403,), means=Forbidden, advice=_ONLY_THIS),
    AnswerRow(vendor=PD, codes=(2010,), at=_OBJECT, statuses=(404,), means=Missing),
    AnswerRow(vendor=PD, codes=(2006,), means=Refused, advice=_KEY[PD]),
    AnswerRow(vendor=PD, codes=(2010,), statuses=(401,), means=Refused, advice=_KEY[PD]),
    AnswerRow(vendor=PD, codes=(2010,), means=Refused, advice=_RIGHTS[PD]),
    AnswerRow(vendor=PD, codes=(2009, 2015), means=Refused, advice=_ACCOUNT),
    # Opsgenie's plan, account and key. A key in the wrong format is answered 422.
    AnswerRow(vendor=OG, codes=(40302,), means=Refused, advice=_ACCOUNT),
    AnswerRow(vendor=OG, words=_PLAN, means=Refused, advice=_ACCOUNT),
    AnswerRow(vendor=OG, words=_ACCOUNT_WORDS, means=Refused, advice=_ACCOUNT),
    AnswerRow(vendor=OG, words=_KEY_WORDS, means=Refused, advice=_KEY[OG]),
    # JSM's integration key. One in the wrong format is answered 422.
    AnswerRow(vendor=KEYED, words=_KEY_WORDS, means=Refused, advice=_KEY[KEYED]),
    *(AnswerRow(vendor=each, words=_PLAN, means=Refused, advice=_ACCOUNT) for each in (JSM, KEYED)),
    # The account, by status. A gateway may answer 401 with an empty body.
    AnswerRow(statuses=(401, 402), html=True, means=Blocked, advice=_NOT_ITS_OWN),
    AnswerRow(vendor=OG, statuses=(401,), means=Refused, advice=_KEY[OG]),
    AnswerRow(vendor=PD, statuses=(401,), means=Refused, advice=_KEY[PD]),
    *(AnswerRow(vendor=each, statuses=(401,), means=Refused, advice=_KEY[each]) for each in (JSM, KEYED)),
    AnswerRow(statuses=(402,), means=Refused, advice=_ACCOUNT),
    # The network path.
    AnswerRow(
        statuses=range(400),
        means=Blocked,
        advice="an address elsewhere is no answer of the API: see whether a proxy or a login page is in between, "
        "and whether {address} is the address of the API",
    ),
    AnswerRow(statuses=(407,), means=Blocked, advice="the proxy wants a login, which belongs into HTTPS_PROXY"),
    AnswerRow(statuses=(405,), means=Blocked, advice=_NOT_ITS_OWN),
    AnswerRow(
        vendor=OG,
        statuses=(410,),
        means=Blocked,
        advice="Opsgenie's API ends on 2027-04-05; before that, " + _NOT_ITS_OWN,
    ),
    AnswerRow(statuses=(410,), means=Blocked, advice=_NOT_ITS_OWN),
    AnswerRow(vendor=JSM, at=_LIST, statuses=(404,), html=False, means=Misconfigured, advice=_NO_OPERATIONS),
    AnswerRow(own=False, means=Blocked, advice=_NOT_ITS_OWN),
    # The rows below require the vendor's own JSON.
    *(
        AnswerRow(vendor=each, at=_LIST, statuses=(400, 422), means=RefusedQuery, advice=_QUERY)
        for each in (OG, JSM)
    ),
    AnswerRow(at=_OBJECT, statuses=(404,), means=Missing),
    AnswerRow(at=_CREATION, statuses=(404,), means=Refused, advice=_SERVICE_ID),
    AnswerRow(statuses=(404,), means=Blocked, advice=_URL),
    AnswerRow(at=_OBJECT, statuses=(403,), means=Forbidden, advice=_ONLY_THIS),
    AnswerRow(vendor=OG, statuses=(403,), means=Refused, advice=_RIGHTS[OG]),
    AnswerRow(vendor=PD, statuses=(403,), means=Refused, advice=_RIGHTS[PD]),
    *(AnswerRow(vendor=each, statuses=(403,), means=Refused, advice=_RIGHTS[each]) for each in (JSM, KEYED)),
    AnswerRow(statuses=(400, 413, 422), means=Permanent),
    AnswerRow(means=Blocked, advice="this says nothing of the request itself, which is tried again; " + _URL),
)


def meaning(reply: Reply) -> AnswerRow:
    """The first matching row; the last one matches any reply."""
    return next(row for row in TABLE if row.fits(reply))


def refusal(reply: Reply, answer: str, retry_after: float | None) -> ReconcilerError:
    """The error for a reply. `answer`: the call, and the vendor's words."""
    row = meaning(reply)
    address = variables_of(reply.vendor).address
    advice = row.advice.format(vendor=reply.vendor, VENDOR=reply.vendor.upper(), address=address)
    text = f"{answer}; {advice}" if advice else answer
    if issubclass(row.means, Permanent):
        return Permanent(text, reply.status)
    if issubclass(row.means, Transient):
        return row.means(text, None if row.means is Blocked else retry_after)
    return row.means(text)


def reply_of(vendor: str, method: str, route: str, status: int, body: Any, *, html: bool) -> Reply:
    """The parts of an answer that decide its meaning. `body` is its JSON, None if it has none."""
    at = At.OBJECT if "{id}" in route else At.LIST if method == "GET" else At.CREATION
    own = is_own(vendor, body)
    return Reply(vendor, at, status, own, html, _code(body) if own else None, tuple(_words(body)) if own else ())


def is_own(vendor: str, body: Any) -> bool:
    """Whether the body is an error in the vendor's own JSON, and not a gateway's or a firewall's."""
    if not isinstance(body, dict):
        return False
    if vendor == PD:
        return isinstance(body.get("error"), dict | list | str)
    return "message" in body or "errors" in body


def said(body: Any) -> str:
    """The vendor's message in an error's body, in any of the known shapes."""
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        code = body["error"].get("code")
        return "; ".join(dict.fromkeys(_words(body["error"]))) + (
            f" (code {code})" if isinstance(code, int | str) else ""
        )
    return "; ".join(dict.fromkeys(_words(body)))


def _code(body: dict[str, Any]) -> int | None:
    """The vendor's own error code, possibly written as a string."""
    error = body.get("error")
    code = error.get("code") if isinstance(error, dict) else body.get("code")
    return int(code) if isinstance(code, int | str) and re.fullmatch(r"\d{1,9}", str(code)) else None


def _words(value: Any, label: str = "") -> Iterator[str]:
    if isinstance(value, str) and value:
        yield f"{label}: {value}" if label else value
    elif isinstance(value, list):
        for one in value:
            yield from _words(one, label)
    elif isinstance(value, dict) and label:
        for name, one in value.items():
            yield from _words(one, str(name))
    elif isinstance(value, dict):
        yield from _words(value.get("message"))
        yield from _words(value.get("error"))
        errors = value.get("errors")
        if isinstance(errors, dict):
            for name, one in errors.items():
                yield from _words(one, str(name))
        else:
            yield from _words(errors)
        for name in ("title", "detail"):
            yield from _words(value.get(name))
