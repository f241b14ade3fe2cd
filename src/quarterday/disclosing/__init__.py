"""Disclosure control: which figures about people are left out of what is public, so that none can be worked out."""
