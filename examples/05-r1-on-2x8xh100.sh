#!/bin/sh
# Question: the same model on two nodes of eight H100: one node is too small, what do two need?
# Answer: TP16 or PP2 × TP8 over the fabric; TP32 would be illegal for block-FP8.
exec deploy-planner plan --hardware 2x8xH100-SXM --model deepseek-r1 --users 32 --isl 1500 --osl 2000 "$@"
