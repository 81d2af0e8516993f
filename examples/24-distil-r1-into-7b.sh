#!/bin/sh
# Question: 800,000 samples of DeepSeek-R1 into Qwen2.5-7B on one node of eight H200: days and money of both steps?
# Answer: Writing takes days, learning about one; both deployments are in the document, ready to export.
exec deploy-planner finetune --hardware 8xH200-SXM --teacher deepseek-ai/DeepSeek-R1 --model Qwen/Qwen2.5-7B --preset distillation --method full "$@"
