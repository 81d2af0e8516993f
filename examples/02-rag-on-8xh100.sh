#!/bin/sh
# Question: eight H100 for retrieval-augmented answers: long prompts, short answers, 100 in flight, first token in 3 s.
# Answer: a ranked table; replicas against bigger TP groups, with what was ruled out and why.
exec deploy-planner plan --hardware 8xH100-SXM --model llama-3.3-70b-instruct --users 100 \
  --isl 8000 --osl 400 --ttft 3 --tpot 0.08 --goal throughput "$@"
