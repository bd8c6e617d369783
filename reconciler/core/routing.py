"""Routes that share one key: which of them an alert belongs to, and the queries that find it out.

Queries are combined in the documented syntax of both products: AND, OR and parentheses. Whether an alert matches a
query is never decided here: the vendor's search does that.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus

LONGEST_QUERY = 6_000
"""Characters of an encoded query: with the rest of the address it stays below the 8 KB that servers accept."""


@dataclass(frozen=True, slots=True)
class Member:
    """A route among those that share a key.

    `query` selects its alerts; the empty one selects all. `is_shared`: it also takes alerts that other such routes
    take. `is_polled`: this process polls it; one that is not still counts when it is decided whose an alert is.
    `service` is where its incidents are: an alert has one incident on a service, so that only one of the routes to
    that service may follow it. Empty: no other route's are there.
    """

    name: str
    query: str = ""
    is_shared: bool = False
    is_polled: bool = True
    service: str = ""

    def is_beside(self, other: "Member") -> bool:
        """Whether both have their incidents on the same service."""
        return self.service != "" and self.service == other.service and self.name != other.name


def recipients(matching: Sequence[Member], holders: Collection[str] = ()) -> tuple[str, ...]:
    """Names of the routes that get an alert, of those whose queries show it, in the order of the file.

    `holders` have a pair for it. Those of them that still match keep it; without one the first match gets it. If
    whoever gets it shares, every other match that shares gets it, too, unless its service has got it already.
    """
    first = [member for member in matching if member.name in holders] or list(matching[:1])
    if all(member.is_shared for member in first):
        others = [member for member in matching if member.is_shared and member not in first]
        first += apart(others, first)
    return tuple(member.name for member in matching if member in first)


def apart(members: Iterable[Member], holders: Iterable[Member]) -> list[Member]:
    """Those of the members whose services none of the holders, nor an earlier one of them, has."""
    known, found = list(holders), []
    for member in members:
        if not any(member.is_beside(other) for other in known):
            found.append(member)
            known.append(member)
    return found


def united(members: Iterable[Member]) -> str:
    """The query for the alerts of any of these members; empty, which selects all, if one of theirs is."""
    queries = list(dict.fromkeys(member.query.strip() for member in members))
    if len(queries) == 1 or "" in queries:
        return "" if "" in queries else queries[0]
    return " OR ".join(f"({query})" for query in queries)


def narrowed(query: str, terms: Iterable[str]) -> str:
    """The query for those of its alerts that match one of the terms."""
    either = " OR ".join(terms)
    return f"({query}) AND ({either})" if query else either


def is_too_long(query: str) -> bool:
    """Whether the query does not fit into an address."""
    return len(quote_plus(query)) > LONGEST_QUERY


def is_closed(query: str) -> bool:
    """Whether each parenthesis and quotation mark is closed, so that the query can be put into parentheses.

    Another one could change the meaning of what stands beside it.
    """
    depth, is_quoted = 0, False
    for character in query:
        if character == '"':
            is_quoted = not is_quoted
        elif not is_quoted:
            depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0 and not is_quoted


def grouped(members: Sequence[Member]) -> list[tuple[Member, ...]]:
    """The members in as few groups as possible, in each of which the united query fits into an address.

    A member whose query is not closed, or is too long by itself, is a group of its own.
    """
    apart: list[tuple[Member, ...]] = [(member,) for member in members if not is_closed(member.query)]
    joined: list[tuple[Member, ...]] = []
    together = [member for member in members if is_closed(member.query)]
    if not united(together):
        return [tuple(together), *apart] if together else apart
    for member in together:
        if joined and not is_too_long(united((*joined[-1], member))):
            joined[-1] = (*joined[-1], member)
        else:
            joined.append((member,))
    return [*joined, *apart]
