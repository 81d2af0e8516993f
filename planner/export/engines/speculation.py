"""Methods of speculative decoding in the words of a deployment."""

from planner.engines.speculation import method_name

__all__ = ["method_name"]
