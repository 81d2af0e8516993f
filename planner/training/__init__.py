"""Training as a whole: the estimate of a job, the search for one, distillation, pre-training."""
