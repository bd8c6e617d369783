from pathlib import Path

from reconciler.settings import variables
from reconciler.settings_reading import read_all
from tests.support.configured import REQUIRED


def test_what_can_be_read_is_there_beside_the_problems(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("LOG_LEVEL=error\nPOLL_INTERVAL_SECONDS=fast\n")
    given = {"PAGERDUTY_EMAIL": "bot@example.com", "LOGLEVEL": "x"}
    found = read_all(variables(), given, file)
    assert found.values == {"pagerduty_email": "bot@example.com", "log_level": "ERROR"}
    assert found.origins == {
        "PAGERDUTY_EMAIL": "environment",
        "LOG_LEVEL": ".env, line 1",
        "POLL_INTERVAL_SECONDS": ".env, line 2",
    }
    assert found.texts["POLL_INTERVAL_SECONDS"] == "fast"
    assert len(found.problems) == 5  # four required ones, and the interval
    assert len(found.warnings) == 1


def test_a_secret_is_hidden_where_a_problem_quotes_it_and_nowhere_else() -> None:
    given = REQUIRED | {"PAGERDUTY_API_KEY": "known", "LOG_LEVEL": "known", "POLL_INTERVAL_SECONDS": "0"}
    first, second = read_all(variables(), given, None).problems
    assert first == 'POLL_INTERVAL_SECONDS: "0" is too small; give more than 0'
    assert second.startswith('LOG_LEVEL: "***" is not known; give ')


def test_the_database_password_is_hidden_wherever_it_is_quoted() -> None:
    given = REQUIRED | {"DATABASE_URL": "postgres://u:hunter%402@db/name", "LOG_LEVEL": "hunter@2"}
    (only,) = read_all(variables(), given, None).problems
    assert "hunter" not in only
