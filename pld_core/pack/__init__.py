"""The audit pack: everything about a task in one zip file, a report for people and a verifier in it."""
