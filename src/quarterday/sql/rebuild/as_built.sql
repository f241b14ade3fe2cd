-- The ledger as it stood when the facts of one release were built: that of the row in rebuilding.release_at_hand.
-- The views that derived facts are built from are made again on top of these.
create table rebuilding.release_at_hand (
    release_id bigint not null,
    reckoned_at timestamptz not null,
    published_at timestamptz not null
);

create view rebuilding.release as
select {release_columns}
from ledger.release
cross join rebuilding.release_at_hand
where release.published_at <= release_at_hand.published_at;

create view rebuilding.release_load as
select release_load.*
from ledger.release_load
inner join rebuilding.release on release_load.release_id = release.release_id;

create view rebuilding.publication as
select {publication_columns}
from ledger.publication
cross join rebuilding.release_at_hand
where lower(publication.known) < release_at_hand.published_at;

create view rebuilding.expected_return as
select expected_return.*
from ledger.expected_return
cross join rebuilding.release_at_hand
where expected_return.expected_since <= release_at_hand.reckoned_at;

-- What the release planned is what it then published, by whichever rule there was: the ledger says that, and is not asked twice.
create view rebuilding.published as
select
    publication.form,
    publication.partner_code,
    publication.period_type,
    publication.period,
    publication.load_id,
    publication.issued,
    upper_inf(publication.issued) as is_current,
    lower(publication.known) = release_at_hand.published_at as is_new
from ledger.publication
cross join rebuilding.release_at_hand
where publication.known @> release_at_hand.published_at;

-- Every derived fact asks for it, some of them several times.
create table rebuilding.planned as
select * from rebuilding.published
with no data;

create function rebuilding.plan_publication(p_release_id bigint)
returns setof rebuilding.planned
language sql
stable
as $$ select * from rebuilding.planned $$;
