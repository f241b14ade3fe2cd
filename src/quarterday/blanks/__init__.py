"""The blank workbook of a form that a partner fills in for a quarter, such that the form's own layout reads it."""
