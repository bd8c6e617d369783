"""The table of control calls has no call twice, and a description for each."""

from reconciler.sandbox.control import CALLS


def test_no_control_call_is_listed_twice() -> None:
    assert len({(method, path) for method, path, _, _ in CALLS}) == len(CALLS)
    assert all(body for _, _, body, _ in CALLS)
