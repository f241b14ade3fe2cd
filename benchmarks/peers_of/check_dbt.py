"""dbt test, two threads: a generic or a singular test for each check, on the landed text."""

import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from dbt.cli.main import dbtRunner

PREDICATES = [
    "length(crime_id) <> 64 or crime_id ~ '[^0-9a-f]'",
    "month is null",
    "month !~ '^[0-9]{4}-[0-9]{2}$'",
    "not pg_input_is_valid(month || '-01', 'date')",
    "reported_by is null",
    "reported_by not in ('Staffordshire Police', 'West Mercia Police')",
    "falls_within is null",
    "longitude !~ '^-?[0-9]+([.][0-9]+)?$'",
    "longitude_number < -9",
    "longitude_number > 2",
    "latitude !~ '^-?[0-9]+([.][0-9]+)?$'",
    "latitude_number < 49",
    "latitude_number > 61",
    "lsoa_code !~ '^[EW][0-9]{8}$'",
    "crime_type is null",
]
QUERIES = [
    "select crime_id from public.crimes_of_peers where crime_id is not null group by crime_id having count(*) > 1",
    "select crime_id from public.crimes_of_peers where crime_id is not null"
    " group by crime_id, month having count(*) > 1",
    "select 1 from public.crimes_of_peers having count(*) = 0",
    "select 1 from public.crimes_of_peers having count(*) filter (where crime_type = 'Anti-social behaviour')"
    " <> count(*) filter (where crime_id is null)",
    "select crime_type from public.crimes_of_peers group by crime_type"
    " having crime_type not in ('Anti-social behaviour',"
    " 'Bicycle theft', 'Burglary', 'Criminal damage and arson', 'Drugs', 'Other crime', 'Other theft', 'Possession of"
    " weapons', 'Public order', 'Robbery', 'Shoplifting', 'Theft from the person', 'Vehicle crime',"
    " 'Violence and sexual offences')",
]
parts = urlsplit(sys.argv[1])
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "tests").mkdir()
    (folder / "dbt_project.yml").write_text(
        "name: peers\nprofile: peers\nversion: '1.0.0'\nflags: {send_anonymous_usage_stats: false}\n"
    )
    (folder / "profiles.yml").write_text(
        f"peers: {{target: it, outputs: {{it: {{type: postgres, host: {parts.hostname}, port: {parts.port}, "
        f"threads: 2, user: {parts.username}, password: '{parts.password}', "
        f"dbname: {parts.path[1:]}, schema: public}}}}}}\n"
    )
    queries = [*(f"select 1 from public.crimes_of_peers where {predicate}" for predicate in PREDICATES), *QUERIES]
    for number, query in enumerate(queries):
        (folder / "tests" / f"check_{number}.sql").write_text(query)
    done = dbtRunner().invoke(["test", "--project-dir", name, "--profiles-dir", name, "--quiet"])
sys.exit(0 if done.success else 1)
