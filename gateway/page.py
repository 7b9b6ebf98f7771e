"""The built page: files that are hashed by name for ever, everything else is index.html."""

from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from gateway.settings import Settings

HASHED: Final = "assets"
"""Vite puts files with a hash in their name here."""
_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Karyaksham</title></head>
<body style="font: 16px/1.5 system-ui; max-width: 40em; margin: 15vh auto; padding: 0 1em">
<h1>Karyaksham is running.</h1>
<p>The page is not built yet. Run <code>make run</code>, which builds it, or build it in <code>client/</code>.</p>
<p>The API is at <code>/graphql</code>.</p>
</body></html>
"""


class Page:
    """GET of any path that nothing else answers."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.page_dir.resolve()

    async def answer(self, request: Request) -> Response:
        path = request.path_params["path"]
        found = self._file(path)
        if found is not None:
            hashed = path.startswith(f"{HASHED}/")
            cache = "public, max-age=31536000, immutable" if hashed else "no-cache"
            return FileResponse(found, headers={"cache-control": cache})
        if Path(path).suffix and path != "index.html":
            raise HTTPException(404, "There is no such file.")
        index = self._folder / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, headers={"cache-control": "no-store"})
        return FileResponse(index, headers={"cache-control": "no-cache"})

    def _file(self, path: str) -> Path | None:
        try:
            found = (self._folder / path).resolve()
        except (OSError, ValueError):
            return None
        inside = found.is_relative_to(self._folder) and found != self._folder
        return found if inside and found.is_file() else None
