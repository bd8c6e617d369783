"""The routes file, read again while the daemon runs: a good one is taken, a bad one is refused whole.

It is read at every check and after SIGHUP, as are the variables that routes take over from `.env`. A refused one
is tried again now and then: what is wrong may be a secret's file, and fixed without a change here.
"""

from collections.abc import Callable
from dataclasses import replace
from math import inf

from reconciler.observability.defects import defect
from reconciler.observability.logs import get_logger, hide, set_level
from reconciler.routes import Difference, Routes, difference, load_routes
from reconciler.routes_keys import PROCESS_WIDE
from reconciler.runtime.renewal import SETTLE, Given
from reconciler.settings import Settings, SettingsError
from reconciler.settings_sources import read_routes_file
from reconciler.settings_texts import Wrong
from reconciler.vendors.ports import Clock

log = get_logger(__name__)

RETRY_EVERY = 30.0
"""Seconds between two tries of a refused file that stays the same: to read 1,000 routes takes a second."""


class RoutesWatch:
    """The routes as they are now. `check` is for one thread; without a routes file it does nothing.

    `apply` is given all routes after a change; if it raises, the file counts as refused. `say` sets the lasting
    state of the file.
    """

    def __init__(
        self,
        routes: Routes,
        given: Given,
        clock: Clock,
        apply: Callable[[Routes], None],
        say: Callable[[str, str], None],
    ) -> None:
        self.routes = routes
        self._given = given
        self._clock = clock
        self._apply = apply
        self._say = say
        self._read = routes
        self._hang_ups = given.hang_ups()
        self._content = self._present()
        self._wrong: tuple[str, ...] = ()
        self._refused_at = -inf

    def check(self) -> None:
        """Read the file, and take over what has changed."""
        if self.routes.file is None:
            return
        hang_ups, content = self._given.hang_ups(), self._present()
        is_asked, is_new = hang_ups != self._hang_ups, content != self._content
        if is_new:
            self._clock.wait(SETTLE)
            if self._present() != content:
                return  # it is being rewritten: the next check reads it
        if is_asked or is_new or self._is_retry_due():
            self._reload(is_asked=is_asked)
        self._hang_ups, self._content = hang_ups, content

    def _is_retry_due(self) -> bool:
        return bool(self._wrong) and self._clock.monotonic() - self._refused_at >= RETRY_EVERY

    def _present(self) -> bytes | None:
        """The file's content; None if it cannot be read."""
        try:
            return read_routes_file(self.routes.file) if self.routes.file else None
        except Wrong:
            return None

    def _reload(self, *, is_asked: bool) -> None:
        try:
            found = load_routes(self._given.environ, self._given.dotenv)
        except SettingsError as error:
            self._refuse(error.problems, is_asked=is_asked)
            return
        if not self._take(found, is_asked=is_asked):
            return
        self._wrong = ()
        self._say("routes", "")

    def _take(self, found: Routes, *, is_asked: bool) -> bool:
        """Take these routes over; returns whether that was possible."""
        if found.file != self.routes.file:
            log.warning("ROUTES_FILE: has changed, which takes effect at the next start only")
            return True
        hide(found.secret_values())
        differs = difference(self._read, found)
        if differs.is_of_routes:
            routes = _with_process_of(self.routes.each[0].settings, found)
            try:
                self._apply(routes)
            except Exception as error:  # noqa: BLE001 - the routes before go on
                self._refuse((str(defect(error, "the routes file")),), is_asked=is_asked)
                return False
            self.routes = routes
        _tell(differs, found, is_asked=is_asked)
        for line in found.warnings:
            if line not in self._read.warnings:
                log.warning(line)
        if "LOG_LEVEL" in differs.process:
            set_level(found.each[0].settings.log_level)
        self._read = found
        return True

    def _refuse(self, problems: tuple[str, ...], *, is_asked: bool) -> None:
        """Keep the routes, and say why: each problem once, and at each SIGHUP. The first is the lasting state."""
        for line in problems if is_asked else problems[1:]:
            if is_asked or line not in self._wrong:
                words = f"{line}: the routes before stay in force until this is fixed"
                log.error(words, subject="routes")
        self._wrong, self._refused_at = problems, self._clock.monotonic()
        more = f"; and {len(problems) - 1} more" if problems[1:] else ""
        self._say("routes", f"{problems[0]}{more}; the routes before stay in force until this is fixed")


def _tell(differs: Difference, routes: Routes, *, is_asked: bool) -> None:
    """One line for each route that differs, and for what does not take effect."""
    lines = [f"route added: {name}" for name in differs.added]
    lines += [f"route removed: {name}" for name in differs.removed]
    lines += [f"route changed: {name} ({', '.join(keys)})" for name, keys in differs.changed.items()]
    if differs.is_reordered:
        order = ", ".join(routes.names())
        lines.append(f"routes in another order: an alert of several goes to the first of them: {order}")
    if "LOG_LEVEL" in differs.process:
        lines.append(f"LOG_LEVEL: is {routes.each[0].settings.log_level} from now on")
    if not lines:
        lines.append(f"{'SIGHUP' if is_asked else 'routes file'}: read again; no route has changed")
    for line in lines:
        log.info(line)
    late = [name for name in differs.process if name != "LOG_LEVEL"]
    if late:
        words = f"changed, which takes effect at the next start only: {', '.join(late)}"
        log.warning(words)


def _with_process_of(running: Settings, found: Routes) -> Routes:
    """The routes with the running values of what holds for the whole process: they change at a start only."""
    kept = {name: getattr(running, name) for name in Settings.model_fields if name.upper() in PROCESS_WIDE}
    each = (replace(route, settings=route.settings.model_copy(update=kept)) for route in found.each)
    return replace(found, each=tuple(each))
