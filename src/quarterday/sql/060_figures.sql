-- A figure may be a rate, a mean or a hedged number, and then adding it up is wrong. Views give it as mart.figure: a number
-- in every way, but sum and avg of it are refused. What may be added up stands beside it as additive_value, a plain number.
-- PostgreSQL takes the aggregate whose argument is exactly of this type before the one of numeric, where it is on the
-- search path: public is by default, mart is for those who name it.
do $$
begin
    if to_regtype('mart.figure') is null then
        create domain mart.figure as numeric;
    end if;
end
$$;
comment on domain mart.figure is
'A figure that must not be added up blindly: sum(additive_value) adds what may be added. sum(value::numeric) overrides it.';

create or replace function mart.refuse_figure(state numeric, figure mart.figure) returns numeric
language plpgsql immutable as $$
begin
    raise exception 'These figures were not added up: some may be rates, means or hedged numbers.'
        using hint = 'Use sum(additive_value), which is null where a figure must not be added; '
            'for one figure max(value) will do, and a rate is pooled as sum(numerator) / sum(denominator).',
            errcode = 'feature_not_supported';
end
$$;

grant usage on schema public to quarterday_reader, quarterday_builder, quarterday_loader;
create or replace aggregate public.sum(mart.figure) (sfunc = mart.refuse_figure, stype = numeric);
create or replace aggregate public.avg(mart.figure) (sfunc = mart.refuse_figure, stype = numeric);
create or replace aggregate mart.sum(mart.figure) (sfunc = mart.refuse_figure, stype = numeric);
create or replace aggregate mart.avg(mart.figure) (sfunc = mart.refuse_figure, stype = numeric);
