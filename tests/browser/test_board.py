"""The board tells each state as it is, on the page and in the terminal, and lets only those act who may."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest

from quarterday.errors import OperatorError
from quarterday.notifying.sending import shown
from quarterday.operating import telling
from quarterday.operating.board import Asked, Cell, read_board, read_cell
from quarterday.operating.explaining import explain_load
from quarterday.operating.states import EMPTY, OF_CELLS, STATES
from quarterday.operating.story import Story
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.browser import day
from tests.conftest import database_named, session_settings
from tests.marts_support import copy_of

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

HERE = Path(__file__).parent
CHROMIUM = Path("/usr/bin/chromium")
PREFIX = "/quarterday"
# What the day left behind: form and quarter, and how the board shows it.
SHOWN = {
    ("victim_gateway", "2017-18-Q3"): "Restated (1)",
    ("restorative_justice_hub", "2017-18-Q3"): "Released",
    ("restorative_justice_hub", "2017-18-Q4"): "Rejected",
    ("business_crime_advisor", "2020-21-Q2"): "Quarantined",
    ("business_crime_advisor", "2017-18-Q3"): "Admitted",
    ("first_time_entrants", "2017-18-Q3"): "Waiting for sign-off",
    ("victim_gateway", "2016-17-Q4"): "Received",
    ("victim_gateway", "2020-21-Q1"): "Failed",
    ("victim_gateway", "2017-18-Q4"): "Late",
    ("victim_gateway", "2012-13-Q4"): "Not commissioned",
    ("campaign_surveys", "2017-18-Q1"): "Not due",
}


@pytest.fixture(scope="module")
def passed(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A warehouse in which a day of returns has passed. Read it; do not change it."""
    settings = replace(session_settings(), server_url=database_named(template))
    yield from day.warehouse_of_its_own(settings, tmp_path_factory.mktemp("day"))


@pytest.fixture
def own(passed: Settings) -> Iterator[Settings]:
    """The same for one test, to act on."""
    for copied in copy_of(passed, "acting"):
        yield replace(passed, server_url=copied.server_url)


def cells_of(settings: Settings, **asked: str) -> tuple[Cell, ...]:
    with connect(settings, "loader") as connection:
        return read_board(Asked(**asked), connection).cells


def story_of(file_name: str, settings: Settings) -> Story:
    with connect(settings, "loader") as connection:
        return explain_load(day.load_of(file_name, settings), connection)


def run(statement: str, settings: Settings, *values: Any) -> None:
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_each_return_is_in_its_state(passed: Settings) -> None:
    found = {
        (cell.form, cell.reporting_quarter): cell.shown
        for cell in cells_of(passed)
        if cell.partner_code != "yos_staffordshire"
    }
    assert {place: found[place] for place in SHOWN} == SHOWN
    owed = [found[form, quarter] for form, _, quarter, _ in day.owed_now()]
    assert owed[:3] == ["Not due", "Due", "Late"] and re.fullmatch(r"Not available until 3\d \w+ 20\d\d", owed[3])
    assert {cell.state for cell in cells_of(passed)} == set(OF_CELLS), "the day shows every state"


def test_a_cell_leads_to_the_newest_load_that_stands(own: Settings) -> None:
    held = day.load_of(day.HELD, own)
    with connect(own, "loader") as connection:
        cell = read_cell("first_time_entrants", "yos_stoke", "2017-18-Q3", connection)
        assert (cell.state, cell.load_id) == ("waiting for sign-off", held)
        run("insert into ledger.load_event (load_id, event) values (%s, 'declined')", own, held)
        assert read_cell("first_time_entrants", "yos_stoke", "2017-18-Q3", connection).state == "late"
        newest = day.load_of(day.RESTATING, own)
        run("insert into ledger.load_event (load_id, event) values (%s, 'withdrawn')", own, newest)
        cell = read_cell("victim_gateway", "citizens_advice", "2017-18-Q3", connection)
        assert (cell.shown, cell.load_id) == ("Released", day.load_of(day.GATEWAY, own))


def test_a_failure_is_over_when_anything_goes_on_after_it(own: Settings) -> None:
    def state() -> str:
        (cell,) = cells_of(own, form="victim_gateway", quarter="2020-21-Q1")
        return cell.state

    again = """insert into ledger.task_run (
        dag_id, task_id, run_id, try_number, partition_key, state, started_at, ended_at, code_version
    ) values ('returns__load', 'land_return', %s, 1, %s, %s, clock_timestamp(), null, 'test')"""
    assert state() == "failed"
    run(again, own, "run 8", "victim_gateway|2016-17-Q4", "running")
    assert state() == "failed", "another return's run changes nothing"
    run(again, own, "run 9", "victim_gateway|2020-21-Q1", "running")
    assert state() == "received"


def test_a_failed_release_fails_what_waits_for_it_and_nothing_else(own: Settings) -> None:
    run(
        """insert into ledger.task_run (
            dag_id, task_id, run_id, try_number, partition_key, state, started_at, ended_at, code_version, message
        ) values (
            'quarter__release', 'build_facts', 'r', 1, '2017-18-Q3', 'failed', now(), clock_timestamp(),
            'test', 'DbtFailed'
        )""",
        own,
    )
    found = {cell.load_id for cell in cells_of(own, state="failed")}
    assert found == {day.load_of(name, own) for name in (day.ADMITTED, day.SET_ASIDE, day.FAILED)}
    story = story_of(day.ADMITTED, own)
    assert (story.failed_dag_id, story.failed_message, story.runbook) == (
        "quarter__release",
        "DbtFailed",
        "quarter__release",
    )


def test_lines_taken_in_by_exception_end_the_quarantine(own: Settings) -> None:
    load_id = day.load_of(day.SET_ASIDE, own)
    (check,) = story_of(day.SET_ASIDE, own).set_aside_checks
    run(
        """insert into ledger.accepted_check (load_id, check_id, line_count, reason, accepted_by)
        values (%s, %s, 1, 'confirmed', 'operator')""",
        own,
        load_id,
        check,
    )
    assert story_of(day.SET_ASIDE, own).state == "quarantined", "nobody has approved of it yet"
    run("insert into ledger.load_event (load_id, event) values (%s, 'approved')", own, load_id)
    assert story_of(day.SET_ASIDE, own).state == "admitted"


def test_the_board_and_the_work_lists_know_one_newest_event(passed: Settings) -> None:
    with connect(passed, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            """select count(*), count(*) filter (where load_standing.event = load_state.state
                and load_standing.state_at = load_state.state_at)
            from ledger.load_state full join ledger.load_standing using (load_id)"""
        )
        assert cursor.fetchone() == (10, 10)


def test_the_board_can_be_asked_for_less(passed: Settings) -> None:
    assert {cell.form for cell in cells_of(passed, form="new_era")} == {"new_era"}
    assert {cell.partner_code for cell in cells_of(passed, partner="rj_hub")} == {"rj_hub"}
    served = {cell.form for cell in cells_of(passed, priority="plan_2017.supporting_victims")}
    assert "victim_gateway" in served and "budget_outturn" not in served
    for asked, message in (({"state": "lost"}, "no state 'lost'"), ({"quarter": "2017"}, "no financial quarter")):
        with pytest.raises(OperatorError, match=message):
            cells_of(passed, **asked)


def test_status_in_json_says_what_the_board_says(passed: Settings) -> None:
    told = telling.board_as_json(Asked(), passed)
    assert told["counts"] | {"late": 0} == {
        **dict.fromkeys((name for name in OF_CELLS if name not in EMPTY), 1),
        "late": 0,
    }
    assert [one["file_name"] for one in told["unrecognised"]] == [day.UNKNOWN]
    (failure,) = told["failures"]
    assert (failure["dag_id"], failure["message"]) == ("returns__load", "OSError: No space left on device")
    assert len(told["returns"]) == sum(told["counts"].values())


def test_explain_tells_the_failing_line_and_the_next_step(passed: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    telling.show_load(day.load_of(day.SET_ASIDE, passed), False, passed)
    shown = capsys.readouterr().out
    assert "Quarantined: It was taken in, but for some lines that are set aside." in shown
    assert "Next: Ask the partner to mend the lines" in shown and "line 5" in shown and "'to follow'" in shown
    telling.show_load(day.load_of(day.FAILED, passed), True, passed)
    told = json.loads(capsys.readouterr().out)
    assert told["state"] == "failed" and told["failed_message"] == "OSError: No space left on device"
    assert [run["task_id"] for run in told["runs"]] == ["land_return"]
    with pytest.raises(OperatorError, match="There is no load 4711"):
        telling.show_load(4711, False, passed)


def test_a_file_that_came_twice_says_so(passed: Settings) -> None:
    story = story_of(day.GATEWAY, passed)
    assert [one.what for one in story.happenings] == [
        "arrived",
        "registered",
        "landed",
        "admitted",
        "released",
        "arrived again",
    ]
    assert story.release and [node.node_id for node in story.release.nodes] == ["model.quarterday.fct_measurement"]
    assert [version.state for version in story.versions] == ["released"]


def test_every_state_has_its_words_and_a_runbook_that_is_there(passed: Settings) -> None:
    for state in STATES.values():
        assert state.meaning.endswith(".") and state.next_step.endswith(".")
        assert (passed.project / "docs" / "runbooks" / f"{state.runbook}.md").is_file()


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Airflow's login and its rights, with no user of its own and nothing running."""
    os.environ.setdefault("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    from airflow.api_fastapi.app import create_auth_manager

    create_auth_manager()


class Started(list[tuple[str, str]]):
    """Notes the runs that were started, in Airflow's place."""

    def __call__(self, dag_id: str, key: str) -> str:
        self.append((dag_id, key))
        return f"run-of-{dag_id}"


def app_for(settings: Settings, role: str | None, started: Started | None = None) -> FastAPI:
    """Return the board where Airflow mounts it, for a login of a role; for nobody, without one."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import FastAPI

    from quarterday.operating.web import make_app, trigger_as_login

    board = make_app(lambda: settings)
    if role is not None:
        board.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username=f"the {role}", role=role)
    if started is not None:
        board.dependency_overrides[trigger_as_login] = lambda: started
    around = FastAPI()
    around.mount(PREFIX, board)
    return around


def browser(settings: Settings, role: str | None, started: Started | None = None) -> TestClient:
    from fastapi.testclient import TestClient

    return TestClient(app_for(settings, role, started), follow_redirects=False)


def links(page: str, css_class: str = "") -> dict[str, str]:
    """Return the addresses of a page's links by what they read, as a person who can't see colours reads them."""
    start = f'<a class="{css_class}" ' if css_class else "<a [^>]*?"
    found = re.findall(rf'{start}href="([^"]+)"[^>]*>(.*?)</a>', page, re.S)
    return {" ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split()): unescape(href) for href, text in found}


def token_of(page: str) -> str:
    (token, *_) = re.findall(r'name="token" value="([^"]+)"', page)
    return str(token)


def test_nothing_is_shown_without_a_login(passed: Settings, airflow: None) -> None:
    nobody = browser(passed, None)
    for path in ("/", "/loads/1", "/loads/1/receipt", "/docs/runbooks/returns__load.md", "/assets/board.css"):
        answer = nobody.get(PREFIX + path)
        assert answer.status_code == 401 and "victim" not in answer.text.lower()
    assert nobody.post(f"{PREFIX}/loads/1/run-again").status_code == 401


def test_the_board_shows_each_state_in_words_and_asks_nobody_outside(passed: Settings, airflow: None) -> None:
    answer = browser(passed, "viewer").get(f"{PREFIX}/?form=victim_gateway&until=2017-18-Q4")
    for words in ("Restated (1)", "Received", "Late", "You are the viewer", "No space left on device", day.UNKNOWN):
        assert words in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.findall(r"(?:src|href|action)=[\"']?(?:https?:)?//", answer.text)
    cells = re.findall(r'<a class="cell".*?</a>', answer.text, re.S)
    assert len(cells) == 8 and all(re.search(r"</span>[A-Z]", cell) for cell in cells), "every cell says its state"


def test_from_a_red_cell_to_the_failing_line_and_the_next_step_in_two_clicks(passed: Settings, airflow: None) -> None:
    person = browser(passed, "viewer")
    wanted = {"Rejected": "line", "Failed": "No space left on device", "Late": "was due on", "Quarantined": "to follow"}
    for state, failing in wanted.items():
        board = f"{PREFIX}/"
        first = urljoin(board, links(person.get(board).text)[f"{state} {len(cells_of(passed, state=state.lower()))}"])
        cell = next(href for text, href in links(person.get(first).text, "cell").items() if text.startswith(state))
        second = urljoin(first, cell)
        page = person.get(second).text
        assert failing in page and "What to do next" in page, f"{state}: {second}"
        runbook = next(href for text, href in links(page).items() if text.startswith("the runbook for"))
        assert person.get(urljoin(second, runbook)).status_code == 200
    answer = person.get(urljoin(f"{PREFIX}/", f"loads/{day.load_of(day.REJECTED, passed)}/receipt"))
    assert "We could not accept this return" in answer.text


def test_links_to_airflow_lead_to_its_pages(passed: Settings, airflow: None) -> None:
    address = f"{PREFIX}/loads/{day.load_of(day.FAILED, passed)}"
    out = links(browser(passed, "viewer").get(address).text, "out")
    assert urljoin(address, out["land_return"]) == "/dags/returns__load/runs/scheduled__7/tasks/land_return"


def test_a_viewer_may_look_and_not_act(own: Settings, airflow: None) -> None:
    started = Started()
    viewer, address = browser(own, "viewer", started), f"{PREFIX}/loads/{day.load_of(day.ADMITTED, own)}"
    page = viewer.get(address).text
    assert "Your login may look and not act." in page and "<button" not in page
    operator_token = token_of(browser(own, "op").get(address).text)
    answer = viewer.post(f"{address}/withdraw", data={"token": operator_token, "reason": "because"})
    assert answer.status_code == 403 and "may look and not act" in answer.text
    assert (story_of(day.ADMITTED, own).state, started) == ("admitted", [])


def test_what_is_posted_must_come_from_a_page_of_ours(own: Settings, airflow: None) -> None:
    operator, address = browser(own, "op"), f"{PREFIX}/loads/{day.load_of(day.ADMITTED, own)}"
    token, others = token_of(operator.get(address).text), token_of(browser(own, "admin").get(address).text)
    for given, headers in (({}, {}), ({"token": others}, {}), ({"token": token}, {"Sec-Fetch-Site": "cross-site"})):
        answer = operator.post(f"{address}/withdraw", data={"reason": "because"} | given, headers=headers)
        assert answer.status_code == 403, given
    assert story_of(day.ADMITTED, own).state == "admitted"


def test_an_operator_acts_by_name_and_gives_a_reason(own: Settings, airflow: None) -> None:
    started = Started()
    operator, load_id = browser(own, "op", started), day.load_of(day.ADMITTED, own)
    address = f"{PREFIX}/loads/{load_id}"
    token = {"token": token_of(operator.get(address).text)}
    answer = operator.post(f"{address}/withdraw", data=token | {"reason": " "})
    assert answer.status_code == 400 and "Give a reason" in answer.text
    again = operator.post(f"{address}/run-again", data=token)
    assert again.status_code == 303 and started == [("quarter__release", "2017-18-Q3")]
    done = operator.post(f"{address}/withdraw", data=token | {"reason": "last year's figures"})
    back = urljoin(f"{address}/withdraw", done.headers["location"])
    assert f"Load {load_id} is withdrawn." in operator.get(back).text
    assert "is withdrawn" not in operator.get(back.replace("sealed=", "sealed=0")).text, "only what we said is shown"
    story = story_of(day.ADMITTED, own)
    assert (story.state, story.detail) == ("withdrawn", "by the op: last year's figures")
    refused = operator.post(f"{address}/withdraw", data=token | {"reason": "again"})
    assert refused.status_code == 400 and "is withdrawn: only an admitted load" in refused.text


def test_set_aside_lines_are_asked_for_by_exception(own: Settings, airflow: None, tmp_path: Path) -> None:
    rules = tmp_path / "rules.csv"
    rules.write_text(
        "rule_id,form,measure_code,priority_code,asks_about,at_least,approvers,reason\n"
        "SGN-001,*,*,*,accepted_lines,1,approver,Somebody looks.\n"
    )
    started, load_id = Started(), day.load_of(day.SET_ASIDE, own)
    operator, address = browser(replace(own, named_rules=rules), "op", started), f"{PREFIX}/loads/{load_id}"
    page = operator.get(address).text
    (check,) = re.findall(r'name="check" value="([^"]+)"', page)
    given = {"token": token_of(page), "reason": "confirmed by telephone"}
    assert "Choose at least one check" in operator.post(f"{address}/accept", data=given).text
    assert operator.post(f"{address}/accept", data=given | {"check": check}).status_code == 303
    (asked,) = (one for one in story_of(day.SET_ASIDE, own).happenings if one.what == "exception asked for")
    assert asked.detail == f"the op: {check}, confirmed by telephone"
    assert started == [("quarter__release", "2020-21-Q2")]
    assert 'name="check"' not in operator.get(address).text, "it is asked for once"


def test_a_question_to_the_partner_is_one_notice_in_the_outbox(own: Settings, airflow: None) -> None:
    operator, address = browser(own, "op"), f"{PREFIX}/loads/{day.load_of(day.REJECTED, own)}"
    given = {"token": token_of(operator.get(address).text), "reason": "Which heading is right?"}
    for told in ("in+the+outbox", "asked+already"):
        assert told in operator.post(f"{address}/ask", data=given).headers["location"]
    asked = "select audience, details ->> 'asked_by', details ->> 'question' from ledger.notice where kind = 'asked'"
    with connect(own, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(asked)
        assert cursor.fetchall() == [("partner", "the op", "Which heading is right?")]


def test_a_partner_is_asked_for_a_return_that_has_not_come(own: Settings, airflow: None) -> None:
    address = f"{PREFIX}/returns/victim_gateway/citizens_advice/2017-18-Q4"
    looking = browser(own, "viewer").get(address).text
    assert "look and not act" in looking and 'name="token"' not in looking
    operator = browser(own, "op")
    given = {"token": token_of(operator.get(address).text), "reason": "When will it come?"}
    for told in ("The question is in the outbox", "That was asked already"):
        answer = operator.post(f"{address}/ask", data=given)
        assert told in operator.get(urljoin(address, answer.headers["location"].removeprefix("../"))).text
    assert operator.post(f"{address}/ask", data=given | {"reason": " "}).status_code == 400
    assert browser(own, "viewer").post(f"{address}/ask", data=given).status_code == 403
    nothing_owed = f"{PREFIX}/returns/restorative_justice_hub/rj_hub/2017-18-Q3"
    assert operator.post(f"{nothing_owed}/ask", data=given).status_code == 400
    (notice,) = (one for one in shown(9, own) if one.kind == "asked")
    assert notice.cause.startswith("victim_gateway|citizens_advice|2017-18-Q4 asked ")
    assert notice.subject == "Victim Gateway, 2017-18 Q4: a question about the return due on 30 April 2018"
    assert "the op asks about your return: When will it come?" in (notice.body or "")


def test_a_published_release_is_withdrawn_by_the_next_run_of_the_release(own: Settings, airflow: None) -> None:
    started, load_id = Started(), day.load_of(day.RESTATING, own)
    operator, address = browser(own, "op", started), f"{PREFIX}/loads/{load_id}"
    page = operator.get(address).text
    assert "Reason, for everybody to read" in page and "name nobody" in page
    given = {"token": token_of(page), "reason": "a wrong workbook"}
    assert operator.post(f"{address}/withdraw", data=given).status_code == 303
    with connect(own, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select withdraws, reason, asked_by from ledger.release where published_at is null")
        release = story_of(day.RESTATING, own).release
        assert release and cursor.fetchall() == [(release.release_id, "a wrong workbook", "the op")]
    (asked,) = (one for one in story_of(day.RESTATING, own).happenings if one.what == "release asked to be withdrawn")
    assert asked.detail == "the op: a wrong workbook"
    assert started == [("quarter__release", "2017-18-Q3")]


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application on loopback for a browser; give its address."""
    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{PREFIX}"
    finally:
        server.should_exit = True
        thread.join(10)


def looked_at(pages: list[dict[str, Any]], folder: Path) -> dict[str, dict[str, Any]]:
    """Return what headless Chromium shows of some pages, what axe finds in them, and what they ask for."""
    command = ["node", str(HERE / "look.mjs"), str(folder), json.dumps(pages)]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return {told["name"]: told for told in map(json.loads, done.stdout.splitlines())}


@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs /usr/bin/chromium: apt-get install chromium")
@pytest.mark.skipif(not shutil.which("node"), reason="needs node, to drive the browser")
@pytest.mark.skipif(not (HERE / "node_modules" / "playwright-core").is_dir(), reason="needs npm ci in tests/browser")
def test_a_browser_shows_the_states_in_words_and_axe_finds_no_violation(
    passed: Settings, airflow: None, tmp_path: Path
) -> None:
    with served(app_for(passed, "op", Started())) as address:
        aside = f"{address}/loads/{day.load_of(day.SET_ASIDE, passed)}"
        pages = [
            {"name": "board", "url": f"{address}/?until=2017-18-Q4", "width": 1280, "dark": False},
            {"name": "phone", "url": aside, "width": 390, "dark": True},
        ]
        found = looked_at(pages, tmp_path)
    for told in found.values():
        assert told["violations"] == [], told["name"]
        outside = [url for url in told["asked"] if not url.startswith(address) and not url.endswith("/favicon.ico")]
        assert outside == [] and told["first"].startswith("Skip to") and not told["scrolls"]
        assert (tmp_path / f"{told['name']}.png").stat().st_size > 10_000
    for words in ("Restated (1)", "Released", "Rejected", "Admitted", "Waiting for sign-off", "Received", "Late"):
        assert words in found["board"]["words"]
    for words in ("Quarantined", "BCA-050", "to follow", "What to do next", "Withdraw this return"):
        assert words in found["phone"]["words"]
