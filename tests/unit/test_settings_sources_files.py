"""Files that settings come from: of secrets, pipes, in folders that may not be entered, and `.env` itself."""

import os
from pathlib import Path

import pytest

from reconciler.settings import exposures, secret_files
from reconciler.settings_sources import can_be_read_again, exposed, read_dotenv, read_secret
from reconciler.settings_texts import Wrong
from tests.support.configured import REQUIRED, loaded, problems


def test_a_secret_is_the_files_text_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("the key\r\n")
    assert read_secret("X_FILE", str(file)) == "the key"


def test_neither_the_path_nor_the_content_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "a-secret-by-mistake"
    for content in (None, b"", b"\xff"):
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(Wrong, match="cannot be read from X_FILE: ") as caught:
            read_secret("X_FILE", str(file))
        assert "a-secret-by-mistake" not in str(caught.value)


def test_a_named_pipe_and_a_device_are_refused_without_waiting_and_the_shells_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (str(pipe), "/dev/zero"):
        with pytest.raises(Wrong, match=r"^cannot be read from X_FILE: it is no regular file; give the path of"):
            read_secret("X_FILE", path)
    reading, writing = os.pipe()
    os.write(writing, b"the key\n")
    os.close(writing)
    assert read_secret("X_FILE", f"/dev/fd/{reading}") == "the key"
    os.close(reading)


def test_the_secrets_in_files_are_found_wherever_they_are_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "PAGERDUTY_API_KEY_FILE=of-dotenv\nOPSGENIE_API_KEY_FILE=of-dotenv\nLOG_LEVEL=INFO"
    )
    found = secret_files({"OPSGENIE_API_KEY": "given", "DATABASE_URL_FILE": "of-environment"}, tmp_path / ".env")
    assert [(file.variable, file.path) for file in found] == [
        ("PAGERDUTY_API_KEY", "of-dotenv"),
        ("DATABASE_URL", "of-environment"),
    ]
    assert "of-dotenv" not in repr(found)


def test_a_pipe_is_not_read_twice(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert not can_be_read_again(str(pipe))
    assert secret_files({"OPSGENIE_API_KEY_FILE": str(pipe)}, None) == []
    assert can_be_read_again(str(tmp_path / "missing")), "it may be there later"
    assert can_be_read_again("a\0b")


def test_a_file_gives_a_parsed_value_as_the_start_does(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("one,two\n")
    (found,) = secret_files({"PAGERDUTY_WEBHOOK_SECRET_FILE": str(file)}, None)
    assert found.read() == loaded(PAGERDUTY_WEBHOOK_SECRET="one,two").pagerduty_webhook_secret
    file.write_text("one,,two\n")
    with pytest.raises(Wrong, match="empty entry"):
        found.read()


def test_a_folder_that_may_not_be_entered_is_named_instead_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **_more: object) -> str:
        raise PermissionError(13, "Permission denied")

    file = tmp_path / ".env"
    monkeypatch.setattr("reconciler.settings_sources._opened", refuse)
    (line,) = problems(REQUIRED, file)
    assert line == ".env: cannot be read: Permission denied; fix or remove it"
    monkeypatch.setattr(os, "access", lambda *_, **_more: False)
    (line,) = problems(REQUIRED, file)
    assert line.startswith(
        f"the folder {tmp_path}, in which this was started: user {os.geteuid()} may not enter it"
    )


def test_a_dotenv_file_with_secrets_that_everybody_may_read_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    assert exposures(file) == ()
    file.write_text("PAGERDUTY_API_KEY=abc\n")
    file.chmod(0o644)
    assert exposures(file) == (
        ".env: every user of this machine may read it, and it holds PAGERDUTY_API_KEY: chmod 600 .env",
    )
    file.chmod(0o640)
    assert exposures(file) == ()
    file.chmod(0o644)
    file.write_text("PAGERDUTY_API_KEY_FILE=/run/secrets/key\n")
    assert exposures(file) == (), "where a secret is, is none"
    assert exposed(file, ["PAGERDUTY_API_KEY_FILE"]) != ()


def test_without_a_dotenv_file_nothing_is_read(tmp_path: Path) -> None:
    told: list[str] = []
    assert read_dotenv(None, told).texts == read_dotenv(tmp_path / ".env", told).texts == {}
    assert told == []


def test_a_dotenv_file_that_others_may_change_is_warned_of_and_a_pipe_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("LOG_LEVEL=INFO\n")
    for mode in (0o622, 0o666):
        file.chmod(mode)
        assert exposures(file) == (
            ".env: every user of this machine may change it, and so what is done: chmod 600 .env",
        )
    file.chmod(0o600)
    assert exposures(file) == ()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    owner = file.stat()
    monkeypatch.setattr(Path, "stat", lambda _: os.stat_result((*owner[:4], 4711, *owner[5:])))
    (line,) = exposures(file)
    assert line.startswith(".env: belongs to user 4711, who decides what is done: chown it to user ")
    monkeypatch.undo()
    file.unlink()
    os.mkfifo(file)
    (line,) = problems(REQUIRED, file)
    assert line == ".env: cannot be read: it is no regular file; fix or remove it"
