"""Checking a data set before it is imported, and deciding what becomes of each of its rows. Pure."""
