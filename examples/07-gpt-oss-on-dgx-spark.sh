#!/bin/sh
# Question: gpt-oss-120b on a DGX Spark (GB10, unified memory): does it fit, and is it fast enough for one person?
# Answer: MXFP4 fits; speed is bound by the memory's bandwidth.
exec deploy-planner plan --hardware gb10 --model gpt-oss-120b --users 1 --isl 2000 --osl 800 "$@"
