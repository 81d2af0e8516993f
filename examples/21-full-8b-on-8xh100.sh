#!/bin/sh
# Question: Llama-3.1-8B, every weight, 100 M tokens at 8k, on eight H100: which sharding and batch, how many hours?
# Answer: DDP or ZeRO/FSDP in bf16, within hours; the micro-batch that fits and the longest sequence beside it.
exec deploy-planner finetune --hardware 8xH100-SXM --model meta-llama/Llama-3.1-8B-Instruct --method full --tokens 100e6 --seq-len 8192 "$@"
