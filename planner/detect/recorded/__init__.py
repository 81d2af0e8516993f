"""Saved output of vendor tools, read as an inventory."""
