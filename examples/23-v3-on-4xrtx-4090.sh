#!/bin/sh
# Question: LoRA of DeepSeek-V3 with four RTX 4090 and two server processors: does it fit, in how much RAM, how fast?
# Answer: With KTransformers the experts lie in about 1.3 TB of host memory; some forty tokens per second.
exec deploy-planner finetune --hardware 4xRTX-4090 --model deepseek-ai/DeepSeek-V3 --trainer ktransformers --seq-len 2048 "$@"
