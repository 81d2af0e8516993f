"""Exports read by the real tools. What is not installed is skipped, and the run says so at its end."""
