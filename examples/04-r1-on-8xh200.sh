#!/bin/sh
# Question: DeepSeek-R1 as published (FP8) on one node of eight H200, reasoning answers of 6,000 tokens, 64 users.
# Answer: FP8 over all eight cards, as TP8 or as DP attention with expert parallelism.
exec deploy-planner plan --hardware 8xH200-SXM --model deepseek-r1 --users 64 --isl 1500 --osl 6000 "$@"
