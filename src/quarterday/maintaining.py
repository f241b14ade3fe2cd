"""Upkeep that PostgreSQL's own automatic vacuum leaves undone, or does long after a release.

A table of 20 million rows is analysed by itself once two million have changed, a partitioned table or one with heirs
never.
"""

from __future__ import annotations

import contextlib

import psycopg2
from psycopg2 import sql

from quarterday.settings import Settings, database_url

SCHEMAS = ["ledger", "landing", "core"]
_CHANGED = """
    select schemaname, relname from pg_stat_user_tables
    where schemaname = any(%s) and n_mod_since_analyze + n_ins_since_vacuum + n_dead_tup > 0
        and relid in (select oid from pg_class where relkind = 'r')
    order by 1, 2
"""
_ABOVE = """
    select distinct nspname, relname from pg_inherits
    join pg_class on pg_class.oid = inhparent
    join pg_namespace on pg_namespace.oid = relnamespace
    where inhrelid = any(%s::regclass[]) order by 1, 2
"""


def maintain(settings: Settings) -> list[str]:
    """Vacuum and analyse each table that has changed since, and analyse those above it; return their names.

    Drops nothing and moves nothing: history and every past report rest on each row. Readers and loads go on meanwhile.
    """
    with contextlib.closing(psycopg2.connect(database_url(settings, "owner"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("select pg_stat_force_next_flush()")
            cursor.execute(_CHANGED, (SCHEMAS,))
            changed = [sql.Identifier(*row) for row in cursor.fetchall()]
            cursor.execute(_ABOVE, ([name.as_string(cursor) for name in changed],))
            above = [sql.Identifier(*row) for row in cursor.fetchall()]
            for verb, names in (("vacuum (analyze)", changed), ("analyze", above)):
                for name in names:
                    cursor.execute(sql.SQL(f"{verb} {{}}").format(name))
            return [name.as_string(cursor).replace('"', "") for name in (*changed, *above)]
