"""The board as a page of Airflow's: registered in every component, and only built where it is asked for."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/quarterday"
ROUTE = "board"


class BoardWhenAsked:
    """The board's application. Every task and service reads plugins: what it needs is imported at its first use."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if self._app is None:
            from quarterday.operating.web import make_app

            self._app = make_app()
        await self._app(scope, receive, send)


class BoardPlugin(AirflowPlugin):  # type: ignore[misc]  # Airflow ships no types
    """Puts the board into Airflow's navigation, at ``/plugin/board``; its own address is ``/quarterday/``."""

    name = "quarterday_board"
    fastapi_apps = [{"app": BoardWhenAsked(), "url_prefix": PREFIX, "name": "Quarterday board"}]
    external_views = [
        {
            "name": "Board",
            "href": f"{PREFIX.lstrip('/')}/",
            "destination": "nav",
            "url_route": ROUTE,
            "nav_top_level": True,
        }
    ]
