"""Where things stand in a partner's file: ``returns/<form>/layout.yml``, read and checked.

A key that isn't listed here is an error that names the file and the key.

.. code-block:: yaml

    file_names: ['victim-gateway*.xlsx']     # required: globs over the file name; case, '_' and spaces don't matter
    example: victim-gateway-2017-18-Q3.xlsx  # required: a right file name, shown to partners
    quarter: {from: file_name, pattern: '(?P<quarter>\\d{4}-\\d{2}-Q[1-4])'}  # required: a SOURCE of the reporting period
    issued: {from: cell, pattern: 'Issued (?P<date>.+)'}                     # a SOURCE of the day of issue
    marks: {'n/a': x, '..': x, '*': c, '': z}   # cell text -> flag; never zero. '' is the blank cell
    labels:                                     # label as sent -> code; case, spaces and footnote digits don't matter
      measures: {Referrals received: victim_gateway_referrals}
      breakdowns: {Enhanced: enhanced}
      areas: {Stoke: stoke_on_trent}
      periods: {2015/16 Baseline: 2015-16-Q3}   # anything that calendar.parse_period reads
      statuses: {Prov.: provisional}
      rags: {Green: G}
      partners: {Stoke YOS: yos_stoke}          # a register form also has its own columns here: {status: {Prov.: provisional}}
    editions:                                   # required: the newest last; the last that fits the return is used
      - name: '2015-09'                         # required
        partner: citizens_advice                # only where partners' layouts differ
        from_quarter: 2015-16-Q2                # first and last reporting quarter of the edition
        to_quarter: 2019-20-Q4
        file_names: ['*.csv']                   # only where editions differ by file name
        sheets: ['Q[1-4] *']                    # globs of the sheets to read; left out: the only sheet, or the first
        ignore_sheets: ['Notes*']               # any other sheet with something in it is an error
        encoding: cp1252                        # csv; left out: UTF-8 (or UTF-16 by its mark)
        delimiter: ';'                          # csv; left out: the likeliest of , ; | and tab
        header: {rows: 1, find: ['Measure']}    # rows: 1 to 3, joined with ' | '; find: headings that tell the header row;
                                                # left out: the row that holds most of the headings below
        columns:                                # heading -> what it is; every heading of the file must be known
          Need: measure                           # short for {is: measure}
          Organisation: {is: ignore, also: [Service], optional: true}
        wide:                                   # columns that are values: each gives a line per row (indicator forms)
          - {heading: Enhanced, breakdown: enhanced}
          - {pattern: '(?P<period>20\\d\\d/\\d\\d \\| Q[1-4])', blank: leave_out}
          - {heading: RAG, is: declared_rag, period: 2017/18}   # belongs to the value with the same keys in its row
        values:                                 # what stands in no column: a fixed text or a SOURCE
          area: Staffordshire
          period: {from: sheet}
        period: {type: financial_quarter, ends: by_the_quarter}
        says: [{is: quarter, from: cell, pattern: 'Quarter (?P<quarter>.+)'}]  # must agree with the file name or sheet
        fill_down: [Area]                       # headings whose blank cells take the value above
        stop_at: ['Notes*', 'Source:*']         # globs on a row's first filled cell: this row and all below are left out
        skip_lines: ['Total*', 'Numbers']       # globs on a row's first filled cell: this row is left out
        labels: {areas: {Staffs: staffordshire_county}}   # added to the form's labels

What a column can be. Indicator forms: ``measure breakdown area period period_start period_end period_type value numerator
denominator status declared_rag note ignore``. Register forms: a column of the contract, or ``ignore``.

A SOURCE is ``{from, pattern, heading, type}``: ``from`` is ``file_name``, ``sheet``, ``cell`` (any cell above the header, read alone and
together with the next filled cell on its right, as 'Quarter Q3 2017/18') or ``column`` (the first filled cell under ``heading``).
``pattern`` is searched without regard to case; its first named group counts, or the whole match. ``type`` is a period type.

Period types: ``financial_quarter financial_year calendar_year calendar_month rolling_year date_range to_date as_at``. The text of a period
is what ``values``, the column and the heading give, joined with a space; where none gives any, it is the period of the return itself.
``ends``: ``in_the_quarter`` (every line), ``by_the_quarter`` (no line later, at least one in the reporting quarter) or ``any`` (default).
"""
