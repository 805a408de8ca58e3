"""Compile what is compiled, once: `python -m models.prepare`.

Set-up calls this, so that the first start of a server takes what is on the disk. Without numba
nothing is compiled and the torch road serves; where the disk is full, nothing is kept.
"""

from contextlib import suppress

from models import choosing, kernels


def prepare() -> bool:
    """Compile every kernel, or read it from the disk; False where there is no compiler."""
    if kernels.numba:
        _keep_where_there_is_room()
    return kernels.warm_up() and choosing.warm_up()


def _keep_where_there_is_room() -> None:
    """A kernel that cannot be written to the disk runs all the same; numba would raise."""
    from numba.core.caching import FunctionCache

    save = FunctionCache.save_overload
    if save.__module__ == __name__:
        return

    def save_if_possible(cache, signature, compiled) -> None:
        with suppress(OSError):
            save(cache, signature, compiled)

    FunctionCache.save_overload = save_if_possible


if __name__ == "__main__":
    print("kernels compiled" if prepare() else "no numba: the torch road serves")
