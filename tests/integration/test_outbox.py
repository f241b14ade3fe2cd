"""What people are to be told is written with what it tells of, once for each cause."""

from __future__ import annotations

from typing import Any

from quarterday import inbox, loading
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.path_support import DEMO, put_into_inbox, rows_of

SAMPLE = DEMO / "returns" / "rj_hub" / "rj-hub_2017-18-Q4.csv"
PARTNER = "rj_hub"


def notices(settings: Settings) -> list[dict[str, Any]]:
    """The outbox, without the words."""
    return rows_of("select cause, kind, audience, details, sent_at from ledger.notice order by 1", settings, "owner")


def test_a_rejected_return_is_noted_with_its_verdict_and_once(settings: Settings) -> None:
    put_into_inbox(SAMPLE, PARTNER, settings, "what-is-this.csv")
    (load_id,) = inbox.sweep(settings).registered
    wanted = {"cause": f"load {load_id} rejected", "kind": "rejected", "audience": "partner"}
    assert notices(settings) == [{**wanted, "details": {"load_id": load_id}, "sent_at": None}]
    put_into_inbox(SAMPLE, PARTNER, settings, "what-is-this.csv")
    inbox.sweep(settings)
    assert len(notices(settings)) == 1


def test_a_file_that_is_only_checked_is_news_to_nobody(settings: Settings) -> None:
    verdict, _ = loading.check_file(SAMPLE, PARTNER, settings)
    assert (verdict.verdict, notices(settings)) == ("rejected", [])


def test_of_a_return_only_what_its_partner_has_to_do_is_noted(settings: Settings) -> None:
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        for verdict, corrects in (("admitted", None), ("admitted_with_quarantine", None), ("rejected", 1)):
            cursor.execute(
                """insert into ledger.load
                (file_sha256, file_name, file_bytes, archive_path, partner_code, corrects_load_id)
                values (repeat('a', 64), %s, 1, '', 'rj_hub', %s) returning load_id""",
                (verdict, corrects),
            )
            (load_id,) = cursor.fetchone() or (0,)
            cursor.execute("insert into ledger.verdict values (%s, %s, 9, 1, 1, '1.0.0')", (load_id, verdict))
    assert [notice["cause"] for notice in notices(settings)] == ["load 2 quarantined"]
