"""Alerts that the queries of several routes of one key show, for `doctor`."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.model import Alert
from reconciler.core.routing import Member, narrowed, united
from reconciler.sources.member_search import MemberSearch, ReaderFor


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two routes whose queries show the same alerts.

    `first` comes first in the file, and gets them; `other` gets them, too, if `is_for_both`. `count` is the number
    among the newest alerts, `example` one of them. `is_rest`: the other route takes what none before it does.
    """

    first: str
    other: str
    count: int
    example: Alert
    is_for_both: bool
    is_rest: bool = False


def overlaps(members: Sequence[Member], search: MemberSearch, reader_for: ReaderFor) -> list[Overlap]:
    """The overlaps of these members, each with all before it: one request a member, and more where there are some.

    May raise what a list of alerts may.
    """
    found = []
    for place, member in enumerate(members[1:], 1):
        before = members[:place]
        earlier = united(before)
        either = narrowed(member.query.strip(), [earlier]) if earlier else member.query
        rows = reader_for(either).recent_alerts(None)
        shown = search.every(before, rows)
        for one in before:
            both = [row for row in rows if one in shown.get(row.id, ())]
            if both:
                for_both = one.is_shared and member.is_shared
                is_rest = not member.query.strip()
                found.append(Overlap(one.name, member.name, len(both), both[0], for_both, is_rest))
    return found
