"""Measurements of the planner itself: start-up, speed, accuracy."""
