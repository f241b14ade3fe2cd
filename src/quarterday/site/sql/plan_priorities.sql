-- Grain: one row per priority, with its plan.
select
    priorities.priority_code,
    priorities.priority_name,
    priorities.priority_order,
    plans.plan_code,
    plans.plan_name,
    plans.valid_from,
    plans.valid_to
from mart.dim_priority as priorities
inner join mart.dim_plan as plans on priorities.plan_code = plans.plan_code
order by plans.valid_from, priorities.priority_order
