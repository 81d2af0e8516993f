#!/bin/sh
# Question: what is the best model for the machine I am sitting at?
# Answer: the plan of this machine's detected hardware.
exec deploy-planner plan "$@"
