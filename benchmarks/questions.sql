-- Twenty questions that readers ask, by quarter, area, priority, outcome, partner, restated, and as known at a moment.
-- `python -m benchmarks.questions` asks each of the marts and, word for word, of plain tables: {mart} and {history} are the
-- schemas. {quarter}, {year}, {start}, {area}, {type}, {measure}, {priority}, {moment} are drawn anew each time it is asked.
-- A name that begins with `all_` asks for all history.

-- name: crimes_of_a_quarter_by_type
select crime_type, sum(crime_count) as crimes
from {mart}.fct_recorded_crime_count
where period_key = {quarter}
group by crime_type
order by crimes desc;

-- name: crimes_of_a_quarter_by_area
select areas.area_name, counts.crime_type, sum(counts.crime_count) as crimes
from {mart}.fct_recorded_crime_count as counts
join mart.dim_area as areas on counts.area_code = areas.area_code
where counts.period_key = {quarter}
group by areas.area_name, counts.crime_type;

-- name: crimes_of_a_year_by_month
select period_start, partner_code, sum(crime_count) as crimes
from {mart}.fct_recorded_crime_count
where period_key between {year} || '-Q1' and {year} || '-Q4'
group by period_start, partner_code
order by period_start;

-- name: all_crimes_by_quarter
select period_key, sum(crime_count) as crimes
from {mart}.fct_recorded_crime_count
group by period_key
order by period_key;

-- name: all_crimes_by_quarter_and_type
select period_key, crime_type, sum(crime_count) as crimes
from {mart}.fct_recorded_crime_count
group by period_key, crime_type
order by period_key, crime_type;

-- name: all_crimes_of_an_area_by_outcome
select period_key, last_outcome, sum(crime_count) as crimes
from {mart}.fct_recorded_crime_count
where area_code = {area}
group by period_key, last_outcome
order by period_key, last_outcome;

-- name: lines_of_a_quarter
select partner_code, count(*) as lines, count(crime_id) as crimes
from {mart}.fct_recorded_crime
where period_key = {quarter}
group by partner_code;

-- name: lines_of_a_quarter_by_type_and_outcome
select crime_type, last_outcome, count(*) as lines
from {mart}.fct_recorded_crime
where period_key = {quarter}
group by crime_type, last_outcome;

-- name: lines_of_a_month_of_a_type_by_place
select location, count(*) as lines
from {mart}.fct_recorded_crime
where period_key = {quarter} and period_start = {start} and crime_type = {type}
group by location
order by lines desc
limit 10;

-- name: lines_of_an_area_in_a_quarter
select lsoa_name, crime_type, count(*) as lines
from {mart}.fct_recorded_crime
where period_key = {quarter} and area_code = {area}
group by lsoa_name, crime_type;

-- name: measurements_of_a_quarter_by_area
select areas.area_name, measurements.additive_value, measurements.status
from {mart}.fct_measurement as measurements
join mart.dim_area as areas on measurements.area_code = areas.area_code
where measurements.period_key = {quarter} and measurements.measure_code = {measure}
    and measurements.breakdown_code = 'all';

-- name: measurements_of_an_area_over_all_quarters
select period_key, value, value_qualifier
from {mart}.fct_measurement
where measure_code = {measure} and breakdown_code = 'all' and area_code = {area}
order by period_start;

-- name: measurements_of_a_partner_in_a_quarter
select measure_code, count(*) as figures, sum(additive_value) as total
from {mart}.fct_measurement
where partner_code = 'force_performance' and period_key = {quarter} and measure_code = {measure}
group by measure_code;

-- name: outcomes_of_a_quarter
select outcomes.measure_code, measures.measure_name, outcomes.area_code, outcomes.value, outcomes.rag_computed
from {mart}.fct_outcome as outcomes
join mart.dim_measure as measures on outcomes.measure_code = measures.measure_code
where outcomes.period_key = {outcome_quarter};

-- name: outcomes_of_a_priority
select plan_outcomes.priority_code, outcomes.period_key, count(*) as rows, count(*) filter (where rag_computed = 'G') as green
from {mart}.fct_outcome as outcomes
join mart.bridge_measure_outcome as bridge on outcomes.measure_code = bridge.measure_code
join mart.dim_outcome as plan_outcomes on bridge.outcome_code = plan_outcomes.outcome_code
where plan_outcomes.priority_code = {priority}
group by plan_outcomes.priority_code, outcomes.period_key;

-- name: priorities_over_all_quarters
select priority_code, period_key, outcome_green_count, action_green_count, return_late_count
from {mart}.fct_priority
order by priority_code, period_key;

-- name: restated_figures_of_a_measure
select area_code, period_key, count(*) as versions, max(value) - min(value) as apart
from {history}.fct_measurement
where measure_code = {measure} and breakdown_code = 'all' and period_key = {quarter}
group by area_code, period_key
having count(*) > 1;

-- name: crimes_of_a_quarter_as_known
select crime_type, sum(crime_count) as crimes
from {history}.fct_recorded_crime_count
where period_key = {quarter} and known_from <= {moment} and (known_to is null or known_to > {moment})
    and superseded_on is null
group by crime_type;

-- name: all_crimes_by_quarter_as_known
select period_key, sum(crime_count) as crimes
from {history}.fct_recorded_crime_count
where known_from <= {moment} and (known_to is null or known_to > {moment}) and superseded_on is null
group by period_key;

-- name: outcomes_of_an_area_as_known
select measure_code, period_key, value, rag_computed
from {history}.fct_outcome
where area_code = {area} and known_from <= {moment} and (known_to is null or known_to > {moment});
