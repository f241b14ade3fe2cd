"""From a partner's sample file to a first contract and layout: what was found, what is guessed, what stays open."""
