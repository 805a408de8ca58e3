"""Every route of an application and every address of its pages, so that new ones are walked too."""

import re
from collections.abc import Iterator
from itertools import product

from fastapi import FastAPI
from starlette.routing import BaseRoute

from backend import lessons
from backend.i18n import LANGUAGES


def routes(app: FastAPI) -> list[BaseRoute]:
    """All routes, those of included routers among them."""
    return list(_flat(app.router.routes))


def _flat(found: list[BaseRoute]) -> Iterator[BaseRoute]:
    for route in found:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from _flat(included.routes)


def operations(app: FastAPI) -> list[tuple[str, str]]:
    """(method, path as it is written) of everything that can be asked for."""
    return sorted(
        (method, route.path)
        for route in routes(app)
        for method in getattr(route, "methods", None) or ()
        if method != "HEAD"
    )


def fill(path: str, **values: list[str]) -> list[str]:
    """Addresses of a path for all values of its parameters. Fails on one that has no values."""
    names = re.findall(r"{(\w+)(?::\w+)?}", path)
    unknown = set(names) - set(values)
    assert not unknown, f"{path}: say what {', '.join(unknown)} may be"
    found = []
    for chosen in product(*(values[name] for name in names)):
        given = iter(chosen)
        found.append(re.sub(r"{[^}]+}", lambda _: next(given), path))  # noqa: B023
    return found


def pages(app: FastAPI, checkpoints: list[str], languages=LANGUAGES) -> list[str]:
    """Addresses of all pages: of every lesson, and of every lab of these checkpoints."""
    values = {"language": languages, "checkpoint": checkpoints, "slug": lessons.slugs()}
    paths = [path for method, path in operations(app) if method == "GET"]
    return [page for path in paths if "{language}" in path for page in fill(path, **values)]
