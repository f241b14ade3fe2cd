"""The board's addresses: every page and every button asks for Airflow's login, and each button for the right to act."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from quarterday import receipts
from quarterday.errors import OperatorError
from quarterday.operating import acting, pages
from quarterday.operating.board import Asked, forms_of_board, names_of_partners, priorities, read_board, read_cell
from quarterday.operating.explaining import explain_load, versions_of
from quarterday.operating.guarding import form_token, is_own_form, may_act, may_read, seal
from quarterday.operating.story import next_for_cell
from quarterday.settings import Settings, load_settings
from quarterday.warehouse import connect

ASSETS = {"board.css": "text/css", "board.js": "text/javascript"}
TEMPLATES = Path(__file__).parents[1] / "templates" / "board"
User = Annotated[Any, Depends(get_user)]


def reader(user: User) -> Any:
    """Return the login, which may see the board."""
    if not may_read(user):
        raise HTTPException(403, "Your login may not see the returns. Ask whoever looks after Airflow's logins.")
    return user


Reader = Annotated[Any, Depends(reader)]


async def actor(request: Request, user: Reader) -> Any:
    """Return the login, which may act, and posted a form of ours."""
    if not may_act(user):
        raise HTTPException(403, "Your login may look and not act. Ask an operator. Nothing was done.")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(403, "This was posted from another site. Nothing was done.")
    token = str((await request.form()).get("token", ""))
    if not is_own_form(token, user.get_id(), request.app.state.settings()):
        raise HTTPException(403, "The page was too old or not yours. Open it again. Nothing was done.")
    return user


Actor = Annotated[Any, Depends(actor)]


def trigger_as_login(request: Request) -> acting.Trigger:
    """Return what starts runs under the login of the request, so that Airflow checks its rights and names it."""
    from airflow.configuration import conf

    from quarterday.airflow_client import AirflowClient

    given = request.headers.get("authorization", "")
    token = given[7:] if given.lower().startswith("bearer ") else request.cookies.get("_token", "")
    address = str(conf.get("core", "execution_api_server_url")).rstrip("/").removesuffix("/execution")
    client = AirflowClient(address, "", "", token)
    return lambda dag_id, key: client.trigger(dag_id, key)


Trigger = Annotated[acting.Trigger, Depends(trigger_as_login)]


def make_app(settings_of: Callable[[], Settings] = load_settings) -> FastAPI:
    """Return the board's application; Airflow mounts it.

    Args:
        settings_of: Gives the settings at each request.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.settings = settings_of
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(OperatorError, _not_done)
    for path, page in PAGES.items():
        app.get(path, response_class=HTMLResponse)(page)
    for act, perform in ACTS.items():
        app.post(f"/loads/{{load_id}}/{act}")(perform)
    app.post("/returns/{form}/{partner}/{quarter}/ask")(ask_for_return)
    return app


def board_page(
    request: Request,
    user: Reader,
    form: str = "",
    partner: str = "",
    priority: str = "",
    state: str = "",
    until: str = "",
) -> Response:
    """Show where every return stands."""
    settings = request.app.state.settings()
    asked = Asked(form or None, partner or None, priority or None, None, state or None)
    with connect(settings, "loader") as connection:
        everything = read_board(Asked(form=asked.form, partner=asked.partner, priority=asked.priority), connection)
        values = pages.board_values(everything, asked, until or None) | {
            "partners": names_of_partners(connection),
            "priorities": priorities(connection),
            "forms": forms_of_board(connection),
        }
    return _page("board", 0, values | {"user": user})


def load_page(request: Request, user: Reader, load_id: int, told: str = "", sealed: str = "") -> Response:
    """Show what is known of a load, and what may be done about it."""
    settings = request.app.state.settings()
    with connect(settings, "loader") as connection:
        story = explain_load(load_id, connection)
    may = may_act(user)
    values = {
        "user": user,
        "story": story,
        "offers": acting.offers(story),
        "may_act": may,
        "token": form_token(user.get_id(), settings) if may else "",
        "told": _own_words(told, sealed, user, settings),
    }
    return _page("load", 1, values)


def return_page(
    request: Request, user: Reader, form: str, partner: str, quarter: str, told: str = "", sealed: str = ""
) -> Response:
    """Show what is known of a return of which nothing stands: what is owed, since when, and what came of it."""
    settings = request.app.state.settings()
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        cell = read_cell(form, partner, quarter, connection)
        versions = versions_of(form, partner, quarter, cursor)
        name = names_of_partners(connection).get(partner, partner)
    asks = acting.may_be_asked_for(cell)
    values = {
        "user": user,
        "cell": cell,
        "versions": versions,
        "partner_name": name,
        "next_step": next_for_cell(cell),
        "may_be_asked_for": asks,
        "token": form_token(user.get_id(), settings) if asks and may_act(user) else "",
        "told": _own_words(told, sealed, user, settings),
    }
    return _page("return", 3, values)


def receipt_page(request: Request, user: Reader, load_id: int) -> Response:
    """Show the receipt that the partner got."""
    with connect(request.app.state.settings(), "loader") as connection:
        page = receipts.as_page(receipts.read_receipt(load_id, connection))
    own = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"}
    return HTMLResponse(page, headers=pages.HEADERS | own)


def document_page(request: Request, user: Reader, path: str) -> Response:
    """Show a document of the project, such as a runbook."""
    folder = (request.app.state.settings().project / "docs").resolve()
    file = (folder / path).resolve()
    if not file.is_relative_to(folder) or file.suffix != ".md" or not file.is_file():
        raise HTTPException(404, f"There is no document {path}.")
    text = pages.as_document(file.read_text(encoding="utf-8"))
    return _page("document", path.count("/") + 1, {"user": user, "name": file.stem, "text": text})


def asset(name: str, user: Reader) -> Response:
    """Give the style and the script of the pages."""
    if name not in ASSETS:
        raise HTTPException(404, "There is no such file.")
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return PlainTextResponse(text, media_type=ASSETS[name], headers=pages.HEADERS | {"Cache-Control": "max-age=300"})


async def run_again(request: Request, user: Actor, load_id: int, trigger: Trigger) -> Response:
    """Start the run that takes a load up where it stands."""
    return await _do(request, user, load_id, lambda story, given: acting.run_again(story, trigger))


async def ask(request: Request, user: Actor, load_id: int) -> Response:
    """Write to the partner's contact about a load."""
    settings = request.app.state.settings()
    return await _do(
        request,
        user,
        load_id,
        lambda story, given: acting.ask(story, str(given.get("reason", "")), user.get_name(), settings),
    )


async def accept(request: Request, user: Actor, load_id: int, trigger: Trigger) -> Response:
    """Ask for set-aside lines to be taken in by exception."""
    settings = request.app.state.settings()
    return await _do(
        request,
        user,
        load_id,
        lambda story, given: acting.accept(
            story, given.getlist("check"), str(given.get("reason", "")), user.get_name(), settings, trigger
        ),
    )


async def withdraw(request: Request, user: Actor, load_id: int, trigger: Trigger) -> Response:
    """Withdraw a load, or the release that published it."""
    settings = request.app.state.settings()
    return await _do(
        request,
        user,
        load_id,
        lambda story, given: acting.withdraw(story, str(given.get("reason", "")), user.get_name(), settings, trigger),
    )


async def ask_for_return(request: Request, user: Actor, form: str, partner: str, quarter: str) -> Response:
    """Write to the partner's contact about a return that is owed."""
    given = await request.form()
    settings = request.app.state.settings()

    def perform() -> str:
        with connect(settings, "loader") as connection:
            cell = read_cell(form, partner, quarter, connection)
        return acting.ask_for(cell, str(given.get("reason", "")), user.get_name(), settings)

    return await _performed(perform, quarter, user, settings)


PAGES: dict[str, Callable[..., Response]] = {
    "/": board_page,
    "/loads/{load_id}": load_page,
    "/loads/{load_id}/receipt": receipt_page,
    "/returns/{form}/{partner}/{quarter}": return_page,
    "/docs/{path:path}": document_page,
    "/assets/{name}": asset,
}
ACTS: dict[str, Callable[..., Any]] = {"run-again": run_again, "ask": ask, "accept": accept, "withdraw": withdraw}


async def _do(request: Request, user: Any, load_id: int, act: Callable[[Any, Any], str]) -> Response:
    """Do what was posted, on the load as it stands now, and go back to its page, which says what was done."""
    given = await request.form()
    settings = request.app.state.settings()

    def perform() -> str:
        with connect(settings, "loader") as connection:
            story = explain_load(load_id, connection)
        return act(story, given)

    return await _performed(perform, str(load_id), user, settings)


async def _performed(perform: Callable[[], str], page: str, user: Any, settings: Settings) -> Response:
    """Do something that may take a while and go back to the page it was asked on, which says what was done."""
    from starlette.concurrency import run_in_threadpool

    told = await run_in_threadpool(perform)
    words = {"told": told, "sealed": seal(told, user.get_id(), settings)}
    return RedirectResponse(f"../{page}?{urlencode(words)}", status_code=303)


def _own_words(told: str, sealed: str, user: Any, settings: Settings) -> str:
    """Return what an address says was done, if we said it to this login."""
    return told if sealed and sealed == seal(told, user.get_id(), settings) else ""


def _page(template: str, depth: int, values: dict[str, Any], status_code: int = 200) -> HTMLResponse:
    return HTMLResponse(pages.render(template, depth, values), status_code, headers=pages.HEADERS)


def _refused(request: Request, error: Exception) -> Response:
    """Say why a page is not shown; without a login nothing else is told."""
    assert isinstance(error, HTTPException)
    return _told(request, error.status_code, str(error.detail))


def _not_done(request: Request, error: Exception) -> Response:
    status = 404 if str(error).startswith("There is no load") or str(error).startswith("The board has") else 400
    return _told(request, status, str(error))


def _told(request: Request, status_code: int, text: str) -> Response:
    depth = max(request.scope["path"].removeprefix(request.scope.get("root_path", "")).count("/") - 1, 0)
    return _page("told", depth, {"user": None, "status_code": status_code, "text": text}, status_code)
