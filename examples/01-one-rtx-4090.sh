#!/bin/sh
# Question: one RTX 4090 under the desk, Qwen3-32B for three colleagues: in which weights, with how much context?
# Answer: int4 weights fit, bf16 and fp8 do not; the context that really fits is in serving.max_model_len.
exec deploy-planner plan --hardware rtx-4090 --model qwen3-32b --users 3 --isl 2000 --osl 500 "$@"
