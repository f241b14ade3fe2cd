"""What people are told: written to the ledger's outbox with what it tells of, put into words, sent, tried again."""
