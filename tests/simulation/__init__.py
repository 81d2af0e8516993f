"""The scheduler's simulation, open loops in closed form, traces."""
