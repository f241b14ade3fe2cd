"""Notices in words, by mail and webhook: each kind says what it should, once, and what is not taken is not lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from quarterday import inbox
from quarterday.notifying import failing, sending
from quarterday.notifying.outbox import note
from quarterday.notifying.sending import send_notices
from quarterday.notifying.showing import show_notices
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.mail_sink import MailSink, free_port, mail_sink
from tests.path_support import DEMO, put_into_inbox, rows_of, take_in

RETURNS = DEMO / "returns"
REJECTED = RETURNS / "citizens_advice" / "victim-gateway-2020-21-Q2.xlsx"
UNSENT = "select cause, error, tried_count from ledger.notice where sent_at is null order by notice_id"

LEDGER_OF_A_LOAD = """
insert into ledger.load
    (file_sha256, file_name, file_bytes, archive_path, partner_code, form, edition, reporting_quarter, issued_on)
values (repeat('a', 64), 'q3.xlsx', 1, '', 'citizens_advice', 'victim_gateway', '1', '2017-18-Q3', '2018-01-20');
insert into ledger.load_event (load_id, event) values (1, 'registered');
insert into ledger.line_issue (load_id, check_id, action, sheet, line_number, column_name, expected, found, remedy)
select 1, 'VGW-004', 'quarantine_line', 'Q3', line, 'Referrals', 'a number', 'Jo Smith', 'Write a number.'
from generate_series(1, 12) as line;
insert into ledger.verdict values (1, 'admitted_with_quarantine', 40, 12, 12, '1.0.0');
"""
A_SIGN_OFF = """
insert into ledger.assessment (load_id, digest, restated_count, rules, approvers, told)
values (1, repeat('b', 64), 7, '{SGN-001,SGN-002}', '{approver}', '24 becomes 30');
insert into ledger.sign_off_request (load_id, digest, run_id) values (1, repeat('b', 64), 'run 9');
insert into ledger.sign_off_request (load_id, digest, run_id) values (1, repeat('b', 64), 'run 9')
on conflict do nothing;
"""
A_RELEASE = """
insert into ledger.release (code_version) values ('0123abc');
insert into ledger.release_load select release_id, 1 from ledger.release;
insert into ledger.correction_note (release_id, revision_kind, markdown, html, digest)
select release_id, 'scheduled revision', 'note', '<p>24 becomes 30</p>', repeat('c', 64) from ledger.release;
update ledger.release set published_at = '2026-07-01 09:30:00+00', load_count = 1;
update ledger.release set load_count = 1, published_at = published_at;
"""


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailSink]:
    """A mail server, set as the one by which notices go."""
    with mail_sink() as running:
        monkeypatch.setenv("QUARTERDAY_NOTIFY_MAIL", running.url)
        yield running


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """A web server that takes webhooks: the path and what was posted."""
    posted: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(500 if "broken" in self.path else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("QUARTERDAY_NOTIFY_SLACK", f"{address}/services/T123/B456/very-secret")
    monkeypatch.setenv("QUARTERDAY_NOTIFY_WEBHOOK", f"{address}/notices?token=also-secret")
    yield posted
    server.shutdown()
    thread.join()
    server.server_close()


def write(settings: Settings, kind: str, audience: str = "office", count: int = 1, **details: Any) -> None:
    """Put notices into the outbox."""
    with connect(settings, "loader") as connection, connection.cursor() as cursor:
        for number in range(count):
            assert note(f"{kind} {details} {number}", kind, audience, details, cursor)


def write_failures(settings: Settings, count: int) -> None:
    """Put notices of failed tasks into the outbox, which need nothing else of the ledger."""
    write(settings, "failed", count=count, **failing.details_of(failure(ValueError("no"))))


def failure(error: object, try_number: int = 4) -> dict[str, Any]:
    """What Airflow hands to a callback."""
    task = SimpleNamespace(
        dag_id="returns__load", task_id="land_return", run_id="run 1", try_number=try_number, log_url="http://log/1"
    )
    return {"ti": task, "dag_run": SimpleNamespace(partition_key="victim_gateway|2017-18-Q3"), "exception": error}


def test_a_rejected_return_goes_to_its_partner_with_the_receipt(settings: Settings, sink: MailSink) -> None:
    put_into_inbox(REJECTED, "citizens_advice", settings)
    take_in(settings)
    assert send_notices(settings).messages == 1
    (mail,) = sink.mails
    assert mail.to == ["victim-gateway@citizens-advice.example"]
    assert mail.subject == "Victim Gateway, 2020-21 Q2: we could not accept your return (receipt 1)"
    assert sorted(mail.attachments) == [
        "receipt-1-victim_gateway-2020-21-Q2.html",
        "receipt-1-victim_gateway-2020-21-Q2.xlsx",
    ]
    assert b"We could not accept this return" in mail.attachments["receipt-1-victim_gateway-2020-21-Q2.html"]
    for words in ("VGW-003", "Nothing of this return was taken in.", "send the whole return again", REJECTED.name):
        assert words in mail.html
    (issue,) = rows_of("select found from ledger.line_issue limit 1", settings, "owner")
    assert issue["found"] not in mail.html
    assert send_notices(settings, at_once=True).messages == 0
    inbox.sweep(settings)
    assert rows_of(UNSENT, settings, "owner") == [] and len(sink.mails) == 1


def test_a_failed_task_is_told_at_once_and_once(settings: Settings, sink: MailSink, as_installed: None) -> None:
    error = ValueError('key (name)=(Jo Smith) of "Jo" is twice\nDETAIL: more of Jo')
    for _ in range(2):
        failing.tell_of_failure(failure(error))
    (mail,) = sink.mails
    assert mail.to == ["data-engineering@opcc.example"]
    assert mail.subject == "Failed: land_return of returns__load for victim_gateway|2017-18-Q3"
    assert "Jo" not in mail.html
    for words in (
        "ValueError: key &#39;...&#39; of &#39;...&#39; is twice",
        "http://log/1",
        "docs/runbooks/returns__load.md",
        "<td>4</td>",
    ):
        assert words in mail.html
    failing.tell_of_failure(failure(None, try_number=5))
    assert "the task&#39;s process was killed" in sink.mails[1].html


def test_a_failed_task_is_told_without_the_database_that_failed_it(
    settings: Settings, sink: MailSink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("QUARTERDAY_DATABASE_URL", f"postgresql://nobody:x@127.0.0.1:{free_port()}/none")
    failing.tell_of_failure(failure("OperationalError: the database is away"))
    assert [mail.subject for mail in sink.mails] == [
        "Failed: land_return of returns__load for victim_gateway|2017-18-Q3"
    ]
    monkeypatch.setenv("QUARTERDAY_NOTIFY_MAIL", f"smtp+plain://127.0.0.1:{free_port()}")
    failing.tell_of_failure(failure(None))  # nobody can be told, and the task must not fail otherwise for it
    assert "Nor by mail or webhook" in caplog.text


def test_many_at_once_are_one_message(settings: Settings, sink: MailSink) -> None:
    write_failures(settings, sending.DIGEST_ABOVE)
    assert send_notices(settings).messages == sending.DIGEST_ABOVE
    sink.mails.clear()
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("truncate ledger.notice")
    write_failures(settings, 40)
    assert send_notices(settings).messages == 1
    (digest,) = sink.mails
    assert digest.subject.startswith("40 notices: Failed: land_return")
    assert digest.html.count("<h2") == 40 and rows_of(UNSENT, settings, "owner") == []


def test_a_dead_mail_server_loses_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    monkeypatch.setenv("QUARTERDAY_NOTIFY_MAIL", f"smtp+plain://jo:hunter22@127.0.0.1:{port}")
    write_failures(settings, 2)
    assert not show_notices(settings, send=True, as_json=False, limit=5)
    assert "ConnectionRefusedError" in capsys.readouterr().out
    kept = rows_of(UNSENT, settings, "owner")
    assert len(kept) == 2 and all(row["error"].startswith("mail to 127.0.0.1: ConnectionRefusedError") for row in kept)
    assert "hunter22" not in str(kept)
    monkeypatch.setenv("QUARTERDAY_NOTIFY_MAIL", f"smtp+plain://127.0.0.1:{port}")
    with mail_sink(port) as sink:
        assert send_notices(settings).messages == 0, "the next try waits a little"
        assert send_notices(settings, at_once=True).messages == 2
        assert len(sink.mails) == 2 and rows_of(UNSENT, settings, "owner") == []


def test_one_refused_recipient_keeps_no_other_waiting(settings: Settings, sink: MailSink) -> None:
    sink.refused = {"data-engineering@opcc.example"}
    write_failures(settings, 1)
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("insert into ledger.release (code_version) values ('0123abc') returning release_id")
        (release_id,) = cursor.fetchone() or (0,)
        cursor.execute("update ledger.release set published_at = now(), load_count = 0")
    sent = send_notices(settings)
    assert [mail.subject for mail in sink.mails] == [f"Release {release_id} is published: 0 returns"]
    assert len(sent.failures) == 1 and "no such person" in sent.failures[0]
    with pytest.raises(sending.NoticesNotSent, match="1 messages were not taken, 1 were"):
        sending.raise_failures(sent)


def test_a_sender_that_dies_after_the_server_took_it_sends_the_same_mail_again(
    settings: Settings, sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_failures(settings, 1)
    with monkeypatch.context() as patched:
        patched.setattr(sending, "_note_taken", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            send_notices(settings)
    assert send_notices(settings).messages == 1
    assert len(sink.mails) == 2 and len({mail.message_id for mail in sink.mails}) == 1


def test_slack_and_any_webhook_take_a_notice_and_keep_their_secrets(
    settings: Settings, hook: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_failures(settings, 1)
    assert send_notices(settings).messages == 2
    (slack, said), (webhook, told) = hook
    assert (slack, list(said)) == ("/services/T123/B456/very-secret", ["text"])
    assert said["text"].startswith("*Failed: land_return of returns__load")
    assert (webhook, sorted(told)) == ("/notices?token=also-secret", ["cause", "subject", "text"])
    monkeypatch.setenv("QUARTERDAY_NOTIFY_SLACK", "http://127.0.0.1:9/services/T123/B456/very-secret")
    broken = f"http://127.0.0.1:{free_port()}/broken?token=also-secret"
    monkeypatch.setenv("QUARTERDAY_NOTIFY_WEBHOOK", broken)
    write(settings, "failed", **{**failing.details_of(failure(None)), "task_id": "check_return"})
    told_of = " ".join(send_notices(settings).failures)
    assert told_of.count("to 127.0.0.1") == 2 and "secret" not in told_of and "B456" not in told_of


def test_a_setting_that_is_no_mail_server_keeps_no_other_channel_waiting(
    settings: Settings, hook: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTERDAY_NOTIFY_MAIL", "mail.example:hunter22")
    write_failures(settings, 1)
    sent = send_notices(settings)
    assert (sent.messages, len(hook), len(sent.failures)) == (2, 2, 1)
    assert sent.failures[0].startswith("QUARTERDAY_NOTIFY_MAIL: expected a URL") and "hunter22" not in sent.failures[0]


def test_without_a_channel_all_is_written_and_nothing_sent(
    settings: Settings, capsys: pytest.CaptureFixture[str], sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sink.url
    monkeypatch.delenv("QUARTERDAY_NOTIFY_MAIL")
    put_into_inbox(REJECTED, "citizens_advice", settings)
    take_in(settings)
    assert show_notices(settings, send=True, as_json=True, limit=5)
    (shown,) = json.loads(capsys.readouterr().out)
    assert shown["subject"].startswith("Victim Gateway") and shown["sent_at"] is None and shown["error"] is None
    # Whoever sets up mail later is not told of what was long ago.
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("update ledger.notice set created_at = created_at - interval '3 days'")
    monkeypatch.setenv("QUARTERDAY_NOTIFY_MAIL", url)
    assert send_notices(settings).messages == 0 and sink.mails == []


def test_a_notice_of_what_is_not_there_keeps_its_reason_and_no_other_waiting(
    settings: Settings, sink: MailSink
) -> None:
    write(settings, "rejected", "partner", load_id=99)
    write_failures(settings, 1)
    assert send_notices(settings).messages == 1
    (left,) = rows_of(UNSENT, settings, "owner")
    assert "Load 99 has no verdict" in left["error"]


@pytest.fixture
def as_installed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's warehouse is what the settings of the environment name, as in a task."""
    monkeypatch.setenv("QUARTERDAY_DATABASE_URL", settings.server_url or "")
    monkeypatch.setenv("QUARTERDAY_SECRETS", str(settings.secrets))


def test_each_kind_says_what_it_is_about_and_what_to_do(settings: Settings, sink: MailSink) -> None:
    for statements in (LEDGER_OF_A_LOAD, A_SIGN_OFF, A_RELEASE):
        with connect(settings, "owner") as connection, connection.cursor() as cursor:
            cursor.execute(statements)
    write(settings, "asked", "partner", load_id=1, asked_by="operator", question="Is line 3 one quarter or two?")
    assert send_notices(settings).messages == 5
    partner = ["victim-gateway@citizens-advice.example"]
    performance = ["performance@opcc.example"]
    receipt = ["receipt-1-victim_gateway-2017-18-Q3.html", "receipt-1-victim_gateway-2017-18-Q3.xlsx"]
    found = {mail.subject: mail for mail in sink.mails}
    assert {subject: (mail.to, sorted(mail.attachments)) for subject, mail in found.items()} == {
        "Victim Gateway, 2017-18 Q3: 12 lines set aside (receipt 1)": (partner, receipt),
        "Victim Gateway, 2017-18 Q3: please look at your return (receipt 1)": (partner, receipt),
        "Victim Gateway, 2017-18 Q3: load 1 waits for a sign-off": (performance, []),
        "Release 1 is published: 1 return": (performance, []),
        "Release 1 restates published figures: scheduled revision": (
            [*performance, "communications@opcc.example"],
            ["correction-note-release-1.html"],
        ),
    }
    said = {
        "set aside": ("28 lines were taken in and 12 set aside.", "VGW-004 sheet &#39;Q3&#39;, line 1,", "and 2 more"),
        "please look": ("operator asks about your return: Is line 3 one quarter or two?",),
        "sign-off": ("7 figures", "SGN-001, SGN-002", "until approver decides", "quarterday sign-off 1"),
        "is published": ("since 1 July 2026, 10:30", "Victim Gateway, 2017-18 Q3, Citizens Advice"),
        "restates": ("The draft correction note is attached.",),
    }
    for words, wanted in said.items():
        (mail,) = (mail for subject, mail in found.items() if words in subject)
        assert [phrase for phrase in wanted if phrase not in mail.html] == []
        assert "Jo Smith" not in mail.html and "Quarterday, the performance warehouse" in mail.html
