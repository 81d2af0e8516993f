#!/bin/sh
# Question: a server without any accelerator: what can it run at all, and how slow is it honestly?
# Answer: a small GGUF on llama.cpp, with a range for the speed.
exec deploy-planner plan --hardware cpu --model qwen3-4b --users 1 --isl 500 --osl 200 "$@"
