#!/usr/bin/env bash
# vllm 0.33.0 on 8 device(s)
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
set -a
# shellcheck source=/dev/null
. "$here/env"
set +a

exec vllm serve /models/DeepSeek-R1 \
  --served-model-name deepseek-ai/DeepSeek-R1 \
  --host 127.0.0.1 \
  --port 8000 \
  --tensor-parallel-size 8 \
  --max-model-len 32768 \
  --max-num-seqs 1024 \
  --max-num-batched-tokens 8192 \
  --gpu-memory-utilization 0.92
