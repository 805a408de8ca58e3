"""When a device has no memory left: how that is told from other failures."""

import torch

# What torch says where a GPU is full, or in the way of a driver that says it itself.
WORDS = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def is_full(error: BaseException) -> bool:
    """Whether an exception says that there was no memory for what was asked."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in WORDS)
