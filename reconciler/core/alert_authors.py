"""Whether an alert names us: by our own account, or by the engineer's name that we wrote under.

Which of the two a product shows depends on how it is written to. Opsgenie takes a name with each write; JSM takes
one through its integration API alone, and else shows the account that the API token belongs to.
"""

from collections.abc import Iterable

from reconciler.core import text
from reconciler.core.model import Act, Action, Note, Person, Side, since_last
from reconciler.core.moved_notes import MOVER, is_key_mark
from reconciler.core.policy import Policy

_OPPOSITE = {"acknowledge": "unacknowledge", "unacknowledge": "acknowledge", "close": "open"}


def is_us(person: Person, engineer: str, policy: Policy) -> bool:
    """Whether this is how an alert names what we did for this engineer."""
    is_named = policy.acts_are_named and text.is_same_name(person.name, engineer)
    return is_named or policy.is_alert_user(person)


def did(action: Action, person: Person, policy: Policy) -> bool:
    """Whether this is how the alert names the author of this action."""
    return is_us(person, action.person, policy)


def wrote(note: Note, policy: Policy) -> bool:
    """Whether we may be the author of this alert's note: its author is our own account, or our signature.

    The signature must be for the person whom the note's mark names, and may still be a person's own name. Our own
    account is nobody else's.
    """
    name = MOVER if is_key_mark(note.text) else text.named_in(note.text, Side.PAGERDUTY)
    return policy.is_alert_user(note.author) or text.is_signature(note.author.name, name)


def doer(verb: str, shown: str, acts: Iterable[Act], policy: Policy) -> Person:
    """Who did this to the alert: whom it names itself, else the first one in its log since the opposite was done.

    Somebody else goes before us: who acts at the same time as we do must be heard of.
    """
    if policy.tells_who:
        return Person("", shown)
    since = since_last(_OPPOSITE[verb], tuple(acts))
    people = [act.person for act in since if act.verb == verb and act.person is not None]
    others = [person for person in people if not policy.is_alert_user(person)]
    return (others or people or [Person("", shown)])[-1]
