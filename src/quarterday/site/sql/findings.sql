-- Grain: one row per action, reporting quarter and rule of the plan that its line breaks.
select
    findings.period_key,
    findings.action_key,
    findings.action_label,
    findings.rag,
    findings.finding,
    findings.term_printed,
    findings.remedy,
    findings.load_id,
    findings.sheet,
    findings.line_number
from mart.rpt_action_finding as findings
order by findings.period_key, findings.rule_order, findings.line_number, findings.action_key
