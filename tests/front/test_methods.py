"""Methods: what a path does not know it refuses with the methods that it knows, over every path of the API document."""

from uuid import uuid4

import httpx

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")


async def test_every_path_names_its_methods_to_who_uses_another(api: httpx.AsyncClient) -> None:
    paths = (await api.get("/openapi.json")).json()["paths"]
    for path, operations in paths.items():
        known = {method.upper() for method in operations}
        if "GET" in known:
            known.add("HEAD")
        url = path.replace("{id}", str(uuid4()))
        for method in METHODS:
            answer = await api.request(method, url)
            if method in known:
                assert answer.status_code != 405, f"{method} {path}"
            elif method == "OPTIONS" and "access-control-allow-methods" in answer.headers:
                assert known - {"HEAD"} <= set(answer.headers["access-control-allow-methods"].split(", "))
            else:
                assert answer.status_code == 405, f"{method} {path}"
                assert method == "HEAD" or answer.json() == {"error": "Method Not Allowed"}
                assert set(answer.headers["allow"].split(", ")) == known, path


async def test_an_unknown_path_is_404_with_any_method(api: httpx.AsyncClient) -> None:
    for path in ("/api/fabric", "/api/fabric/embeds/none", "/api/fabric/resources/none", "/api/fabric/resources/"):
        for method in ("GET", "POST", "DELETE"):
            assert (await api.request(method, path)).status_code == 404
