"""Where long questions are answered: in a process of their own, so that no key waits for arithmetic.

Threads of one process share its interpreter; a planning thread takes every second slice of it from the event loop.
"""
