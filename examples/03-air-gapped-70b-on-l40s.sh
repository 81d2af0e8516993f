#!/bin/sh
# Question: an air-gapped server with four L40S (PCIe, no NVLink) and a 70B model: does it fit, and how is it laid out?
# Answer: fp8 or int4 over all four cards; bf16 is refused with the reason.
exec deploy-planner plan --hardware 4xL40S --model llama-3.3-70b-instruct --users 8 --isl 4000 --osl 800 "$@"
