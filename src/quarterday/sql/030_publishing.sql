-- What would be published if a release were published now. The dbt build reads it to build and test the facts before
-- anyone can see them; the publishing transaction writes exactly the same rows. One rule, in one place.
--
-- Every version of a form, partner and period is set out in order of issue; each holds from its day of issue to the next.
-- Of two issued on one day the one received later counts. An older one that arrives late takes its place in between.
-- A release that withdraws another sets them out without that one's loads, so what these had superseded speaks again:
-- also what had been issued on the same day, and was in no place any more.
create or replace function ledger.plan_publication(p_release_id bigint)
returns table (
    form text,
    partner_code text,
    period_type text,
    period daterange,
    load_id bigint,
    issued daterange,
    is_current boolean,
    is_new boolean
)
language sql
stable
as $$
    with incoming as (
        select
            load.form,
            load.partner_code,
            load_period.period_type,
            daterange(load_period.period_start, load_period.period_end, '[]') as period,
            load.load_id,
            load.issued_on
        from ledger.release_load
        join ledger.load using (load_id)
        join ledger.load_period using (load_id)
        where release_load.release_id = p_release_id
    ),
    withdrawn as (
        select release_load.load_id
        from ledger.release
        join ledger.release_load on release_load.release_id = release.withdraws
        where release.release_id = p_release_id or release.published_at is not null
    ),
    standing as (
        select
            publication.form,
            publication.partner_code,
            publication.period_type,
            publication.period,
            publication.load_id,
            lower(publication.issued) as issued_on
        from ledger.publication
        where publication.load_id not in (select withdrawn.load_id from withdrawn)
    ),
    versions as (
        select * from incoming
        union
        select standing.*
        from standing
    ),
    last_of_day as (
        select distinct on (versions.form, versions.partner_code, versions.period_type, versions.period, versions.issued_on)
            versions.*
        from versions
        order by
            versions.form, versions.partner_code, versions.period_type, versions.period, versions.issued_on,
            versions.load_id desc
    ),
    timeline as (
        select
            last_of_day.*,
            lead(last_of_day.issued_on) over (
                partition by last_of_day.form, last_of_day.partner_code, last_of_day.period_type, last_of_day.period
                order by last_of_day.issued_on
            ) as superseded_on
        from last_of_day
    )
    select
        timeline.form,
        timeline.partner_code,
        timeline.period_type,
        timeline.period,
        timeline.load_id,
        daterange(timeline.issued_on, timeline.superseded_on) as issued,
        timeline.superseded_on is null as is_current,
        not exists (
            select 1
            from ledger.publication
            where publication.load_id = timeline.load_id
                and publication.period_type = timeline.period_type
                and publication.period = timeline.period
                and publication.issued = daterange(timeline.issued_on, timeline.superseded_on)
                and upper_inf(publication.known)
        ) as is_new
    from timeline
$$;
comment on function ledger.plan_publication(bigint) is 'Grain: one row per form, partner, period and version, as it would stand after the release.';

-- What is kept of the marts as they stand, made again by the views that it is kept of, from what is published in this transaction.
-- Rows of loads are made again for these, and for loads that were published before they were kept; rows of the newest release as
-- a whole. What has not been deployed yet is passed over.
drop function if exists ledger.renew_current_counts(bigint[]);
create or replace function ledger.renew_current(p_loads bigint[])
returns void
language plpgsql
as $$
declare
    fact text;
    kept regclass;
    asked regclass;
    column_names text;
    is_of_a_release boolean;
    lacking bigint[];
begin
    -- Nothing may be published between what is asked and what is written; who publishes has the lock already.
    perform pg_advisory_xact_lock(hashtext('quarterday.release'));
    foreach fact in array array['fct_measurement', 'fct_outcome', 'fct_priority', 'fct_recorded_crime_count'] loop
        kept := to_regclass(format('core.%I', fact || '_current'));
        asked := to_regclass(format('core.%I', 'int_' || fact || '_current'));
        continue when kept is null or asked is null;
        select string_agg(quote_ident(attname), ', ' order by attnum), bool_or(attname = 'release_id')
        into column_names, is_of_a_release
        from pg_attribute
        where attrelid = kept and attnum > 0 and not attisdropped
            and attname in (select attname from pg_attribute where attrelid = asked and attnum > 0 and not attisdropped);
        if is_of_a_release then
            execute format('delete from %s', kept);
            execute format('insert into %1$s (%2$s) select %2$s from %3$s order by period_key', kept, column_names, asked);
        else
            execute format(
                'select array_agg(distinct publication.load_id) from ledger.publication '
                'where publication.is_current '
                'and not exists (select 1 from %s as kept where kept.load_id = publication.load_id) '
                'and exists (select 1 from core.%I as fact where fact.load_id = publication.load_id)',
                kept, fact
            ) into lacking;
            execute format('delete from %s where load_id = any($1)', kept) using p_loads;
            execute format(
                'insert into %1$s (%2$s) select %2$s from %3$s where load_id = any($1) order by period_key, load_id',
                kept, column_names, asked
            ) using p_loads || lacking;
        end if;
    end loop;
end
$$;
comment on function ledger.renew_current(bigint[]) is 'Brings core.*_current up to date for these loads, in the caller''s transaction.';

-- The publishing transaction. Idempotent: a release that is published already is left as it is.
create or replace function ledger.publish_release(p_release_id bigint)
returns integer
language plpgsql
as $$
declare
    moment timestamptz;
    written integer;
    uncleared record;
begin
    -- The lock under which returns join a release and are withdrawn: what is published is what is in it now.
    perform pg_advisory_xact_lock(hashtext('quarterday.release'));
    if exists (select 1 from ledger.release where release_id = p_release_id and published_at is not null) then
        return 0;
    end if;
    -- Loads that joined the release after its facts were checked have facts that nobody has built; one that was withdrawn
    -- since must not be published.
    if (
        select coalesce(array_agg(load_id order by load_id), '{}')
        from ledger.release_load
        where release_id = p_release_id
            and not exists (
                select 1 from ledger.load_event
                where load_event.load_id = release_load.load_id and load_event.event = 'withdrawn'
            )
    ) is distinct from (select checked_loads from ledger.release where release_id = p_release_id)
    then
        raise exception 'release % is not what was checked: build and check its facts again', p_release_id
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    -- However the release came to be: what a rule asks a named person about is not published without the approval.
    select release_load.load_id, ledger.clearance(release_load.load_id) into uncleared
    from ledger.release_load
    where release_load.release_id = p_release_id and ledger.clearance(release_load.load_id) not in ('free', 'approved')
    order by release_load.load_id
    limit 1;
    if found then
        raise exception 'release % holds load %, which may not be published: %', p_release_id, uncleared.load_id, uncleared.clearance
            using errcode = 'object_not_in_prerequisite_state',
                hint = 'Begin the release again: what needs a sign-off is held, and the rest is published.';
    end if;
    moment := clock_timestamp();
    create temporary table planned on commit drop as
        select * from ledger.plan_publication(p_release_id);

    update ledger.publication
    set known = tstzrange(lower(known), moment)
    where upper_inf(known)
        and not exists (
            select 1
            from planned
            where not planned.is_new
                and planned.load_id = publication.load_id
                and planned.period_type = publication.period_type
                and planned.period = publication.period
                and planned.issued = publication.issued
        );

    insert into ledger.publication (form, partner_code, period_type, period, load_id, release_id, known, issued)
    select form, partner_code, period_type, period, load_id, p_release_id, tstzrange(moment, null), issued
    from planned
    where is_new;
    get diagnostics written = row_count;

    insert into ledger.load_event (load_id, event, happened_at, detail)
    select load_id, 'released', moment, 'release ' || p_release_id
    from ledger.release_load
    where release_id = p_release_id;

    insert into ledger.load_event (load_id, event, happened_at, detail)
    select release_load.load_id, 'withdrawn', moment, 'release ' || p_release_id || ' takes back release ' || release.withdraws
    from ledger.release
    join ledger.release_load on release_load.release_id = release.withdraws
    where release.release_id = p_release_id;

    update ledger.release
    set published_at = moment,
        load_count = (select count(*) from ledger.release_load where release_id = p_release_id)
    where release_id = p_release_id;

    -- What is kept of the marts as they stand changes with what is published, for whoever reads next. Last, because which release
    -- is the newest is known only now.
    perform ledger.renew_current(array(
        select distinct publication.load_id
        from ledger.publication
        where publication.release_id = p_release_id or upper(publication.known) = moment
    ));
    drop table planned;
    return written;
end
$$;
comment on function ledger.publish_release(bigint) is 'Publishes a release in the caller''s transaction; returns the number of publication rows written.';
