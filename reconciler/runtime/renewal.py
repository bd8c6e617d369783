"""Secrets that are given as files, read again while the daemon runs; and what SIGHUP re-reads besides.

Files are read at every check, not only when their time stamps change: a Kubernetes volume exchanges a link to
their folder, and some editors keep every stamp. A value is redacted from the log before it is used, and the one
before it stays redacted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.observability.logs import get_logger, hide, set_level
from reconciler.settings import SecretFile, Settings, SettingsError, load, secret_files
from reconciler.settings_texts import Wrong
from reconciler.vendors.ports import Clock

log = get_logger(__name__)

CHECK_EVERY = 2.0
"""Seconds between two checks; a refused key causes one at once."""
SETTLE = 0.1
"""Seconds for which a changed file must stay the same: one that is being rewritten is empty or half there."""
AT_RESTART = ("DATABASE_URL",)
"""Secrets that are in use for as long as the process lives."""


def _never() -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Given:
    """Where the settings came from, for reading them again. `hang_ups` is the number of SIGHUPs so far.

    `files` are the secrets in files if they are a route's, or those of the whole process, and not all of the
    environment; `RoutesWatch` is then what obeys SIGHUP.
    """

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    dotenv: Path | None = None
    hang_ups: Callable[[], int] = _never
    files: Sequence[SecretFile] | None = None


class Renewal:
    """The settings as they are now. `check` is for one thread, `settings` for any.

    `use` has what a new value of a variable is given to. `say` sets the lasting state of all files.
    """

    def __init__(
        self,
        settings: Settings,
        given: Given,
        clock: Clock,
        use: Mapping[str, Callable[[Settings], None]],
        say: Callable[[str, str], None],
    ) -> None:
        self.settings = settings
        own = given.files
        self.files = secret_files(given.environ, given.dotenv) if own is None else list(own)
        self._given = given
        self._clock = clock
        self._use = use
        self._say = say
        self._hang_ups = given.hang_ups()
        self._secrets = set(settings.secret_values())
        self._values = {file.variable: getattr(settings, file.variable.lower()) for file in self.files}
        self._wrong: dict[str, str] = {}

    def check(self) -> None:
        """Read every file, and after a SIGHUP the other settings, too, if nothing else reads them."""
        hang_ups = self._given.hang_ups()
        renewed = [file.variable for file in self.files if self._renew(file)]
        self._say("secrets", "; ".join(self._wrong.values()))
        if hang_ups != self._hang_ups and self._given.files is None:
            self._hang_ups = hang_ups
            self._reload(renewed)

    def _renew(self, file: SecretFile) -> bool:
        """Whether the file has a new value."""
        found = _read(file)
        value, wrong = found
        if not wrong and value == self._values[file.variable]:
            self._wrong.pop(file.variable, None)
            return False
        self._clock.wait(SETTLE)
        if _read(file) != found:
            return False  # it is being rewritten: the next check reads it
        if wrong:
            self._wrong[file.variable] = f"{file.called}: {wrong}; until then the value it had before is used"
            return False
        self._wrong.pop(file.variable, None)
        self._values[file.variable] = value
        self._take(file, value)
        return True

    def _take(self, file: SecretFile, value: Any) -> None:
        variable = file.variable
        changed = self.settings.model_copy(update={variable.lower(): value})
        self._hide(changed)
        if variable in AT_RESTART:
            words = f"{file.called}: its file has changed, which takes effect at the next start: restart soon"
            log.warning(words)
            return
        self.settings = changed
        words = f"{file.called}: its file has changed: the new value is used from now on"
        log.info(words)
        if variable in self._use:
            self._use[variable](changed)

    def _reload(self, renewed: list[str]) -> None:
        """Read the `.env` file again; only the log's level is taken from it."""
        found, problems = _loaded(self._given)
        if found is None:
            for line in (*problems, "fix this first: only secrets in files were read again"):
                words = f"SIGHUP: {line}"
                log.error(words, subject="settings")
            return
        known = self.settings
        other = [
            name.upper()
            for name in Settings.model_fields
            if name.upper() not in self._values and getattr(found, name) != getattr(known, name)
        ]
        if found.log_level != known.log_level:
            other.remove("LOG_LEVEL")
            self.settings = known.model_copy(update={"log_level": found.log_level})
            set_level(found.log_level)
            renewed.append("LOG_LEVEL")
        paths = {file.variable: file.path for file in secret_files(self._given.environ, self._given.dotenv)}
        other += [file.variable for file in self.files if paths.get(file.variable) != file.path]
        words = f"SIGHUP: read again; a new value is used of: {', '.join(renewed) or 'nothing'}"
        log.info(words)
        if other:
            words = f"SIGHUP: changed, which takes effect at the next start only: {', '.join(other)}"
            log.warning(words)

    def _hide(self, settings: Settings) -> None:
        self._secrets |= set(settings.secret_values())
        hide(self._secrets)


def _loaded(given: Given) -> tuple[Settings | None, tuple[str, ...]]:
    """The whole configuration as it is now, or its problems."""
    try:
        return load(given.environ, given.dotenv), ()
    except SettingsError as error:
        return None, error.problems


def _read(file: SecretFile) -> tuple[Any, str]:
    """The value, or what is wrong with the file."""
    try:
        return file.read(), ""
    except Wrong as wrong:
        return None, str(wrong)
