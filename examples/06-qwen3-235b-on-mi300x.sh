#!/bin/sh
# Question: Qwen3-235B on eight MI300X: which engine and format run on AMD, how many users?
# Answer: vLLM or SGLang on ROCm; engines that do not exist there are counted among the rejected.
exec deploy-planner plan --hardware 8xMI300X --model qwen3-235b-a22b --users 128 --isl 2000 --osl 1000 "$@"
