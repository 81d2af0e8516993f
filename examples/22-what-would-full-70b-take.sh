#!/bin/sh
# Question: Two RTX 4090 and Llama-3.1-70B: what fits, and what would make full fine-tuning possible?
# Answer: QLoRA with the base streamed from host memory; for all weights so many cards, or host memory, as listed.
exec deploy-planner finetune --hardware 2xRTX-4090 --model meta-llama/Llama-3.1-70B-Instruct --seq-len 2048 "$@"
