"""The method, the review and the audit. Pure modules know no clock, no network and no database."""
