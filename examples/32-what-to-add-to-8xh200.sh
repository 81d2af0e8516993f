#!/bin/sh
# Question: eight H200 serve DeepSeek-R1; 1,500 people will use it at once, each further token within 0.1 s. What carries that, one server down included?
# Answer: what the eight H200 carry by themselves, then fleets to add, the cheapest first; each says what holds with a server down.
exec deploy-planner buy --model deepseek-r1 --users 1500 --tpot 100ms --have 8xH200-SXM --spare "$@"
