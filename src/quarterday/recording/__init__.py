"""What ran, when and with what end: written to the ledger and told to whoever watches, and never in the work's way."""
