"""How the page is served: what it may do, and for how long it may be kept."""

import re

import pytest

from tests.support.server import RunningServer

pytestmark = pytest.mark.slow


def test_the_page_allows_only_what_it_needs(server: RunningServer) -> None:
    with server.client() as api:
        page = api.get("/rooms/coffee_cafe")
        policy = page.headers["content-security-policy"]
        assert page.status_code == 200
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", page.text), "nothing comes from elsewhere"
        assert api.get("/rooms/coffee_cafe", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
        assert api.head("/rooms/coffee_cafe").headers["date"]
        (script,) = re.findall(r'src="\./assets/([^"]+\.js)"', page.text)
        found = api.get(f"/rooms/assets/{script}")
        assert found.headers["content-type"].startswith("text/javascript")
        assert "immutable" in found.headers["cache-control"]
        for path in (
            "/rooms/a.b",
            "/rooms/assets/none.js",
            "/rooms/assets/..%2Findex.html",
            "/rooms/assets/index.html",
        ):
            assert api.get(path).status_code == 404, path
