"""Factors of the hardware database. Inside rows everything is bytes, seconds, FLOP and watts."""

MIB = 1 << 20
GIB = 1 << 30
MEGA = 1e6
GIGA = 1e9
TERA = 1e12
