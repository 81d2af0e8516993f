"""mlx_lm.server's own parser: its main program, stopped where it would load the model."""

import argparse
import sys

from answers import answer
from mlx_lm import server


class Parsed(Exception):
    """Carries the arguments out of the main program."""


def check(case):
    kept = argparse.ArgumentParser.parse_args

    def parse(self, *args, **kwargs):
        raise Parsed(vars(kept(self, *args, **kwargs)))

    argparse.ArgumentParser.parse_args, sys.argv = parse, ["mlx_lm.server", *case["words"]]
    try:
        server.main()
    except Parsed as parsed:
        return parsed.args[0]
    finally:
        argparse.ArgumentParser.parse_args = kept
    raise RuntimeError("the program parsed nothing")


answer(check)
