"""What is probably not meant: misspelt names, placeholders of .env-example as values, queries that miss alerts."""

from collections.abc import Collection, Iterator, Mapping

from reconciler.settings_texts import volatile_terms

OURS = ("OPSGENIE_", "PAGERDUTY_", "JSM_", "ON_")
"""How the names begin that no platform sets by itself: a name near one of them is a mistake."""
ELSEWHERE = frozenset({"DATABASE_URI", "LOG_LEVELS"})
"""Names near ours that other programs are known to use; in the environment they are left alone."""
PLACEHOLDERS = {
    "PAGERDUTY_API_KEY": "fake-pagerduty-api-key",
    "PAGERDUTY_SERVICE_ID": "PFAKE01",
    "PAGERDUTY_EMAIL": "reconciler@example.com",
    "OPSGENIE_API_KEY": "fake-opsgenie-api-key",
}
"""The values of .env-example that must be replaced; a test compares them with the file."""
_LONG = 12
"""Names longer than this count as near up to a distance of two, others up to one."""


def meant(name: str, known: Collection[str]) -> str:
    """The known name that this one is a misspelling of; empty if none is near enough."""
    written = name.upper().replace("-", "_")
    found = [(_distance(written, each), each) for each in known if abs(len(written) - len(each)) <= 2]  # noqa: PLR2004
    distance, nearest = min(found, default=(3, ""))
    return nearest if distance <= (2 if len(nearest) > _LONG else 1) else ""


def misspelt(environ: Mapping[str, str], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Names of the environment that are near a known one, each with that one.

    A name is left alone where the known one is set as well: nothing is missing then.
    """
    for name in sorted(environ):
        nearest = "" if name in known or name in ELSEWHERE else meant(name, known)
        if nearest and not environ.get(nearest):
            yield name, nearest


def is_placeholder(name: str, text: str, texts: Mapping[str, str]) -> bool:
    """Whether the text is .env-example's. The sandbox has a user with the e-mail given there."""
    if text != PLACEHOLDERS.get(name):
        return False
    return name != "PAGERDUTY_EMAIL" or "pagerduty.com" in texts.get("PAGERDUTY_API_URL", "pagerduty.com")


def query_warnings(name: str, query: str, other: str = "") -> Iterator[str]:
    """What is probably wrong with the search query in this variable. `other` is Opsgenie's, beside JSM's."""
    terms = ", ".join(volatile_terms(query))
    if terms:
        yield (
            f"{name}: asks for {terms}, which changes while an alert lives: an alert that is raised and "
            "closed or acknowledged between two polls is not seen and pages nobody, and what is done to an alert "
            "that leaves the query is seen only at the next sweep; leave it out of the query"
        )
    if other and not query:
        yield (
            f"{name}: is empty, which selects every alert, while OPSGENIE_QUERY is set; that one is never used "
            "for JSM: give the same choice here, in JSM's search syntax"
        )


def _distance(one: str, other: str) -> int:
    """How many letters must be added, left out, replaced or swapped with their neighbour."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            row.append(min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (letter != wanted)))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], wanted):
                row[j] = min(row[j], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]
