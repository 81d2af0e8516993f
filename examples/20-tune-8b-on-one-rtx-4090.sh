#!/bin/sh
# Question: Which fine-tuning of Llama-3.1-8B does one RTX 4090 hold, and how long do 10 M tokens for three epochs take?
# Answer: LoRA or QLoRA with checkpointed activations, in an evening; full fine-tuning only from host memory.
exec deploy-planner finetune --hardware 1xRTX-4090 --model meta-llama/Llama-3.1-8B-Instruct "$@"
