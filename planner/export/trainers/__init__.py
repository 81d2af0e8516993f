"""Files that start a training job: one module per trainer, each with ``TARGET`` and ``render(context)``."""
