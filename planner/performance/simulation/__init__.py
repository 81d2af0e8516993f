"""A discrete-event simulation of a continuous-batching scheduler over the step times of the roofline model.

``requests`` makes the load, ``group`` schedules one batch, ``run`` moves the clock, ``record`` keeps what was seen.
Deterministic: the same load and seed give the same answer.
"""
