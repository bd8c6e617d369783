"""The scope of each error that a write meets: what it concerns decides what follows (see `core/retry.py`)."""

from reconciler.core.retry import Scope
from reconciler.errors import Blocked, Forbidden, Misconfigured, Missing, NotExecuted, Permanent, ReconcilerError

_SCOPES: tuple[tuple[type[ReconcilerError], Scope], ...] = (
    (Missing, Scope.MISSING),
    (Forbidden, Scope.FORBIDDEN),
    (Blocked, Scope.PATH),
    (NotExecuted, Scope.LATER),
    (Misconfigured, Scope.ACCOUNT),
    (Permanent, Scope.REQUEST),
)
"""The scope of each class of error, subclasses first. Any other error only means: not now."""


def scope_of(error: ReconcilerError, *, at_check: bool) -> Scope:
    """The scope of an error. One at the check before a write says nothing about the form of the write."""
    found = next((scope for kind, scope in _SCOPES if isinstance(error, kind)), Scope.PATH)
    return Scope.MISSING if at_check and found is Scope.REQUEST else found
