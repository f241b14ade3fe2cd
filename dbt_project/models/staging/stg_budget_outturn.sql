-- Grain: one row per line of an admitted budget return in the release being built. Renames only: the typed view is in pounds.
with lines as (

    select * from {{ source('typed', 'budget_outturn') }}
    where {{ in_release() }}

),

final as (

    select
        lines.load_id,
        coalesce(lines.sheet, '') as sheet,
        lines.line_number,
        lines.body,
        lines.budget_line,
        left(lines.financial_year, 4) || '-' || right(lines.financial_year, 2) as financial_year,
        lines.status,
        lines.budget_gbp,
        lines.budget_gbp_flag,
        lines.outturn_gbp,
        lines.outturn_gbp_flag,
        lines.variance_gbp,
        lines.variance_gbp_flag,
        lines.variance_pct,
        lines.variance_pct_flag
    from lines
    where {{ not_quarantined('lines') }}

)

select * from final
