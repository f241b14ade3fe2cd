"""The data dictionary: what each relation that readers see holds, and where each of its columns comes from."""
