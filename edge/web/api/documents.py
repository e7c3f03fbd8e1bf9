"""What the API can do, for programs and for people."""

from __future__ import annotations

import json
from itertools import groupby

from flask import Response, jsonify, render_template, request

from edge.web.api.declare import ENDPOINTS, Endpoint, api, endpoint
from edge.web.scopes import ANYONE, needs


@endpoint("GET", "/api/openapi.json", scope=ANYONE, tag="documents", summary="The OpenAPI 3.1 document of this API")
def get_openapi() -> Response:
    from edge.web.api.openapi import document

    answer = jsonify(document())
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@api.get("/api")
@needs(ANYONE)
def get_overview() -> str:
    from edge.web.api.openapi import API_VERSION, document

    def tag(one: Endpoint) -> str:
        return one.tag

    schemas = {name: json.dumps(schema, indent=2, ensure_ascii=False) for name, schema in document()["components"]["schemas"].items()}
    groups = [(name, list(found)) for name, found in groupby(sorted(ENDPOINTS, key=tag), key=tag)]
    return render_template("api.html", groups=groups, operations=document()["paths"], schemas=schemas, edition=API_VERSION)
