"""The site with finished answers kept in memory: a prototype, of which cache.py times what a hit costs.

An answer is kept by the tag that the site gives it, which is of the question and of the state of the
index, as it is sent: compressed for whoever takes that. Nothing is ever thrown away.
"""

from flask import Flask, Response, request

from benchmarks import application
from directory.web.caching import index_tag
from directory.web.compression import compress


def create() -> Flask:
    """The site on the settings of the environment, its searches answered from memory where it can."""
    app = application.create()
    search = app.view_functions["api.search"]
    kept: dict[tuple[str | None, bool], tuple[bytes, list[tuple[str, str]]]] = {}

    def kept_search() -> Response:
        key = (index_tag(), request.accept_encodings["gzip"] > 0)
        if key not in kept:
            answer = search()
            assert isinstance(answer, Response)
            compress(answer)
            kept[key] = answer.get_data(), list(answer.headers)
        body, headers = kept[key]
        return Response(body, headers=headers)

    app.view_functions["api.search"] = kept_search
    return app
