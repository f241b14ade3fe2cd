-- Grain: one row per number of an admitted return: load, sheet, line and column, and publication of it. As known at t: known_from <= t < known_to; as issued by d: issued_on <= d < superseded_on.
{{ config(alias='fct_measurement') }}

with measurements as (

    select * from {{ ref('fct_measurement') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

figures as (

    {{ with_figures('measurements') }}

),

final as (

    select
        {{ promised_columns('figures', but=['publication_id', 'release_id', 'known_from', 'known_to', 'issued_on', 'superseded_on'], renamed={'value': 'figure'}) }},
        publications.publication_id,
        publications.release_id,
        lower(publications.known) as known_from,
        upper(publications.known) as known_to,
        lower(publications.issued) as issued_on,
        upper(publications.issued) as superseded_on
    from figures
    inner join publications
        on figures.load_id = publications.load_id
        and figures.period_key = publications.period_key

)

select * from final
