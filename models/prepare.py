"""Compile what is compiled, once: `python -m models.prepare`.

Set-up calls this, so that the first start of a server takes what is on the disk. Without numba
nothing is compiled and the torch road serves.
"""

from models import choosing, kernels


def prepare() -> bool:
    """Compile every kernel, or read it from the disk; False where there is no compiler."""
    return kernels.warm_up() and choosing.warm_up()


if __name__ == "__main__":
    print("kernels compiled" if prepare() else "no numba: the torch road serves")
