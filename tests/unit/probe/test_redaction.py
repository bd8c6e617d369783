import pytest

from reconciler.probe.redaction import Redaction

US = {"bot@example.com": "(the login e-mail)"}


def made() -> Redaction:
    return Redaction(("secret-key",), US, ("Reconciler Probe 1",))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key secret-key refused", "key *** refused"),
        ("From bot@example.com", "From (the login e-mail)"),
        ("sent to ana.ruiz@acme.example", "sent to (an e-mail address)"),
        ("see https://acme.atlassian.net/jira/ops", "see https://(host)/jira/ops"),
        ("GET https://api.opsgenie.com/v2/alerts", "GET https://api.opsgenie.com/v2/alerts"),
        ("http://127.0.0.1:8900/x", "http://(host)/x"),
        ("two\nlines\x1b[31m", "two\\nlines\\u001b[31m"),
    ],
)
def test_keys_addresses_hosts_and_control_characters_are_replaced(text: str, shown: str) -> None:
    assert made().text(text) == shown


@pytest.mark.parametrize(
    "answer",
    [
        {"incident": {"assignments": [{"assignee": {"type": "user_reference", "summary": "Jane Doe"}}]}},
        {"users": [{"type": "user", "name": "Jane Doe"}]},
        {"data": {"owner": "Jane Doe"}},
        {"data": [{"report": {"acknowledgedBy": "Jane Doe"}}]},
        {"displayName": "Jane Doe"},
    ],
)
def test_peoples_names_are_learned_from_answers_wherever_they_are(answer: object) -> None:
    redaction = made()
    redaction.learn(answer)
    assert redaction.text("Escalated to Jane Doe by service") == "Escalated to (a person's name) by service"


def test_names_of_machines_our_own_and_very_short_ones_stay() -> None:
    redaction = made()
    for owner in ("System", "Alert API", "Reconciler Probe 1", "al", ""):
        redaction.learn({"owner": owner})
    said = "System and Alert API and Reconciler Probe 1: alert"
    assert redaction.text(said) == said


def test_a_name_within_a_word_is_none() -> None:
    redaction = made()
    redaction.learn({"owner": "Ann"})
    assert redaction.text("Annotated by Ann") == "Annotated by (a person's name)"
