-- Grain: one row per street crime file in the release being built whose places have keys, and place that its lines name.
with places as (

    select * from {{ typed_beside('street_crime', 'repeated') }}
    where load_id in ({{ loads_with_listed_places() }})

),

final as (

    select
        places.load_id,
        {{ place_key("places.sent ->> '{}'") }} as place_key,
        places.longitude,
        places.latitude,
        places.location,
        places.lsoa_code,
        places.lsoa_name,
        left(places.lsoa_name, -5) as authority_name
    from places

)

select * from final
