"""Preflight of this machine for a deployment: facts are gathered by a thin reader, every check is a pure function."""
