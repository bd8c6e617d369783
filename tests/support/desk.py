"""The status page's application without a listener: requests go to it in this thread."""

from typing import Any

from werkzeug.test import TestResponse

from reconciler.operations.config import survey
from reconciler.settings import Settings, load
from reconciler.settings import read as read_settings
from reconciler.store.database import Database
from reconciler.web.status_app import Sources, create
from tests.support.configured import REQUIRED


class Desk:
    """The application without a listener, over this database."""

    def __init__(self, database: Database, **environ: str) -> None:
        given = REQUIRED | {"STATUS_LISTEN": "127.0.0.1:0"} | environ
        self.settings: Settings = load(given, dotenv=None)
        self.database = database
        sources = Sources(
            database,
            "sqlite:///r.db",
            lambda: self.settings,
            survey(read_settings(given, None)),
            lambda _route, alert_id: f"https://opsgenie.example/{alert_id}",
        )
        self.now = 100.0
        self.app = create(sources, lambda: self.now)
        self.client = self.app.test_client()

    def ask(self, path: str = "/", method: str = "GET", **more: Any) -> TestResponse:
        return self.client.open(path, method=method, **more)
