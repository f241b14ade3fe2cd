-- Why a release was made is told to everybody, in its notes and its open data; who asked for it is nobody's business outside.
alter table ledger.release add column if not exists asked_by text;
comment on column ledger.release.asked_by is
'Who asked for a release that takes another back: a login of Airflow or of the machine. Stays inside; the reason is public.';
comment on column ledger.release.reason is
'Why the release was made, in words for everybody: they stand on the public site and in the open data, so they name nobody.';
