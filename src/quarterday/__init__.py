"""Quarterday: the quarterly performance warehouse of a police and crime commissioner's office."""

import os

# A workbook has the same bytes whether or not lxml is there, by which openpyxl would write it otherwise.
os.environ["OPENPYXL_LXML"] = "False"
