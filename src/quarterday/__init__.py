"""Quarterday: the quarterly performance warehouse of a police and crime commissioner's office."""
