"""llama.cpp's server from the prebuilt wheel ``xllamacpp``: for a Python that has it, with llama-server's options."""

import argparse
import sys
import time

import xllamacpp  # type: ignore[import-not-found]

parser = argparse.ArgumentParser()
parser.add_argument("-m")
parser.add_argument("-c", type=int)
parser.add_argument("-ub", type=int)
parser.add_argument("-np", type=int)
parser.add_argument("--port", type=int)
args = parser.parse_args()
params = xllamacpp.CommonParams()
params.model.path = args.m
params.n_ctx, params.n_ubatch, params.n_parallel, params.port = args.c, args.ub, args.np, args.port
params.fit_params = False
params.verbosity = 4
params.endpoint_metrics = True
server = xllamacpp.Server(params)
sys.stdout.write(f"listening {server.listening_address}\n")
sys.stdout.flush()
time.sleep(600)
