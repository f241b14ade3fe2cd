-- Grain: one row per number of an admitted return: load, sheet, line and column, and publication of it. As known at t: known_from <= t < known_to; as issued by d: issued_on <= d < superseded_on.
{{ config(alias='fct_measurement') }}

with measurements as (

    select * from {{ ref('fct_measurement') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}

),

final as (

    select
        {{ promised_columns('measurements', but=['publication_id', 'release_id', 'known_from', 'known_to', 'issued_on', 'superseded_on'], renamed={'value': 'value::mart.figure'}) }},
        publications.publication_id,
        publications.release_id,
        lower(publications.known) as known_from,
        upper(publications.known) as known_to,
        lower(publications.issued) as issued_on,
        upper(publications.issued) as superseded_on
    from measurements
    inner join publications
        on measurements.load_id = publications.load_id
        and measurements.period_key = publications.period_key

)

select * from final
