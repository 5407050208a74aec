"""The report of a run: one HTML file with what was asked, how it went, what it is compared with, and its limits."""
