"""Log lines: one readable line per event, on stderr, without secrets."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from reconciler.observability.logs import HIDDEN, LONGEST_VALUE, as_json, configure, get_logger, hide, set_level

SECRET = "u+hunter2/key"
log = get_logger("reconciler.test_telemetry")  # created before the configuration, as in modules


@pytest.fixture(params=["text", "json"])
def logging_format(request: pytest.FixtureRequest) -> Literal["text", "json"]:
    configure(request.param, "INFO", [SECRET, "key", ""])
    return "text" if request.param == "text" else "json"


def fail(words: str) -> None:
    raise ValueError(words)


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    written = capsys.readouterr()
    assert written.out == ""
    return [json.loads(line) for line in written.err.splitlines()]


@pytest.mark.usefixtures("logging_format")
def test_a_secret_is_never_printed(capsys: pytest.CaptureFixture[str]) -> None:
    class Odd:
        def __str__(self) -> str:
            return f"<odd {SECRET}>"

    said = f"said {SECRET}"
    log.warning(said)
    log.warning("named", value=SECRET, nested={"a": [SECRET, {SECRET: (SECRET, {SECRET})}]}, odd=Odd())
    log.warning("quoted", url="https://host/?key=u%2Bhunter2%2Fkey", error=ValueError(SECRET))
    log.warning("formatted %s", SECRET)
    try:
        try:
            fail(SECRET)
        except ValueError as error:
            raise RuntimeError(f"because of {SECRET}") from error
    except RuntimeError:
        log.exception("failed")
        logging.getLogger("urllib3").exception("failed with %s", SECRET)
    written = capsys.readouterr()
    assert "hunter2" not in written.err
    assert written.err.count("***") >= 12
    assert len(written.err.splitlines()) == 6
    assert "RuntimeError: because of ***" in written.err


def test_the_longest_secret_is_hidden_first_and_numbers_are_searched_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("json", "INFO", ["abcd", "abcdef", "9876"])
    log.info("abcdef", pin=19876, count=7, share=0.5, nothing=None, yes=True)
    (event,) = events(capsys)
    assert event["event"] == "***"
    assert (event["pin"], event["count"], event["share"]) == ("1***", 7, 0.5)
    assert event["nothing"] is None
    assert event["yes"] is True


def test_json_is_one_object_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "INFO", [SECRET])
    log.info("two\nlines", alert="a-1", at=datetime(2026, 1, 1, tzinfo=UTC), who="Jürgen")
    (event,) = events(capsys)
    assert [*event][:3] == ["timestamp", "level", "event"], "what every line has comes first"
    assert datetime.fromisoformat(event.pop("timestamp")).utcoffset() == datetime.now(UTC).utcoffset()
    assert event == {
        "level": "info",
        "logger": "reconciler.test_telemetry",
        "event": "two\nlines",
        "alert": "a-1",
        "at": "2026-01-01 00:00:00+00:00",
        "who": "Jürgen",
    }


@pytest.mark.parametrize("form", ["json", "text"])
def test_nothing_in_a_line_is_obeyed_by_a_terminal(
    form: Literal["text", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    configure(form, "INFO", [])
    odd, readable = "\x00\x1b\x7f\x85\x9b\u200b\u2028\u202e\u2066\ud83d", "é 日本 🙂"
    event = f"event {odd}{readable}"
    log.info(event, **{f"name{odd}": f"value {odd}{readable}"})
    err = capsys.readouterr().err
    assert err.removesuffix("\n").isprintable()
    assert err.count(readable) == 2
    if form == "json":
        found = json.loads(err)
        assert (found["event"], found[f"name{odd}"]) == (event, f"value {odd}{readable}")


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("in_ascii", [False, True])
def test_json_is_parsed_to_what_it_was_made_of(indent: int | None, in_ascii: bool) -> None:
    document = {"a\x9b": ['\u202e\n\t\\u202e"', "é🙂\U000e0041", 1, None, {"b": []}]}
    shown = as_json(document, indent, in_ascii=in_ascii)
    assert json.loads(shown) == document
    assert all(line.isprintable() for line in shown.split("\n"))
    assert ("é🙂" in shown) is not in_ascii
    assert (len(shown.splitlines()) > 1) is (indent is not None)


def test_text_is_one_readable_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text", "INFO", [])
    log.info("forged\n2026 \x1b[31m", status="done", reason="Ana said: stop", ids=["a", "b"])
    logging.getLogger("apscheduler").warning("a job is late")
    ours, theirs = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z INFO     forged\\n2026 \\u001b\[31m "
        r'status=done reason="Ana said: stop" ids=\["a", "b"\]',
        ours,
    )
    assert theirs.endswith("WARNING  [apscheduler] a job is late")


def test_an_exception_is_one_line_in_the_text_format(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text", "INFO", [])
    try:
        fail("boom")
    except ValueError:
        log.exception("a cycle failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ERROR    a cycle failed exception=" in line
    assert 'ValueError: boom"' in line


@pytest.mark.usefixtures("logging_format")
def test_libraries_log_from_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("apscheduler.scheduler", "urllib3.connectionpool", "alembic.runtime.migration"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("news of %s", name)
    assert len(capsys.readouterr().err.splitlines()) == 3


@pytest.mark.parametrize(("level", "said"), [("DEBUG", 4), ("INFO", 3), ("WARNING", 2), ("ERROR", 1)])
def test_lines_below_the_configured_level_are_not_logged(
    capsys: pytest.CaptureFixture[str], level: str, said: int
) -> None:
    configure("json", level, [])
    log.debug("d")
    log.info("i")
    log.warning("w")
    log.error("e")
    assert len(events(capsys)) == said


def test_the_configured_level_applies_to_libraries_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "ERROR", [])
    logging.getLogger("urllib3").warning("w")
    assert events(capsys) == []


def test_configuring_twice_logs_each_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        configure("json", "INFO", [])
    log.info("once")
    assert len(events(capsys)) == 1


@pytest.mark.parametrize(("terminal", "starts"), [(True, "2"), (False, "{")])
def test_the_default_format_on_a_terminal_is_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool, starts: str
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    configure(None, "INFO", [])
    log.info("hello")
    assert capsys.readouterr().err.startswith(starts)


@pytest.mark.usefixtures("logging_format")
def test_a_value_that_cannot_be_rendered_neither_fails_the_caller_nor_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError(SECRET)

    log.warning(SECRET, broken=Broken())
    told = capsys.readouterr().err
    assert told == "an event of reconciler.test_telemetry cannot be rendered: RuntimeError\n"


@pytest.mark.usefixtures("logging_format")
def test_a_closed_stderr_does_not_fail_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_text: str) -> int:
        raise BrokenPipeError

    monkeypatch.setattr("sys.stderr.write", closed)
    log.warning("nobody listens")


@pytest.mark.usefixtures("logging_format")
def test_a_foreign_text_of_megabytes_does_not_become_such_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Its beginning and its end are shown; a secret is replaced before, so that no half of it remains."""
    long = "begins " + "x" * 3_990 + SECRET + "y" * 500_000 + " ends"
    log.warning(long, row=long, several=[long, {long: 7}])
    line = capsys.readouterr().err
    assert len(line) < 6 * LONGEST_VALUE
    assert line.count("begins x") == line.count("y ends") == 4
    assert "characters in all" in line
    assert SECRET[:3] not in line


@pytest.mark.usefixtures("logging_format")
def test_a_text_that_is_as_long_as_it_may_be_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    log.warning("whole", row="x" * LONGEST_VALUE)
    assert "x" * LONGEST_VALUE in capsys.readouterr().err


def test_more_secrets_are_hidden_beside_those_before_with_the_same_format_and_level(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("text", "WARNING", ["secret-1"])
    hide(["secret-2"])
    hide(["secret-3"])
    log = get_logger("reconciler.test")
    log.info("not written")
    log.warning("secret-1 secret-2 secret-3")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"WARNING  {HIDDEN} {HIDDEN} {HIDDEN}")
    set_level("INFO")
    log.info("secret-2")
    assert capsys.readouterr().err.endswith(f"INFO     {HIDDEN}\n")
