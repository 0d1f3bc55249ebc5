"""The fonts that names are drawn with: bundled ones first, then what the system has, chosen by what they can draw.

FiraGO, from the package ``pymupdf-fonts`` (SIL Open Font License), covers Latin, Greek, Cyrillic, Georgian, Arabic,
Hebrew, Devanagari and Thai. ``noto-cjk-sans-otc``, where it is installed, adds Chinese, Japanese and Korean.
"""

import importlib
import importlib.util
import threading
import unicodedata
from collections import OrderedDict
from io import BytesIO
from pathlib import Path

from PIL import ImageFont

from parlour.media.video.coverage import Coverage, read_coverage

SYSTEM_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.local/share/fonts").expanduser(),
    Path("/System/Library/Fonts"),
    Path("/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)

MAX_SYSTEM_FONTS = 1000
"""Font files that are looked into at most."""

MAX_SIZES = 4
"""Open sizes of one font. Each has the whole file once more in memory, 0.4 MB for FiraGO."""

BITMAP_SIZE = 109
"""Pixels an em of the only size that Noto Color Emoji comes in."""

_UNWANTED = ("mono", "italic", "oblique", "condensed", "serif", "light", "thin", "black")
_INVISIBLE = frozenset({"Zs", "Cf", "Mn", "Me"})


class FontFace:
    """One font, opened at the sizes that are asked for. Sizes are pixels an em."""

    def __init__(self, source: Path | bytes, coverage: Coverage) -> None:
        self._source, self._coverage = source, coverage
        name = source.name.lower() if isinstance(source, Path) else ""
        self.is_colour = "color" in name
        self.is_bold = "bold" in name
        self._sizes: OrderedDict[int, ImageFont.FreeTypeFont] = OrderedDict()

    def covers(self, text: str) -> bool:
        """Whether no character of the text would come out as an empty box."""
        return all(ord(char) in self._coverage or unicodedata.category(char) in _INVISIBLE for char in text)

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """The font at a size. The last few sizes are kept open."""
        size = BITMAP_SIZE if self.is_colour else size
        font = self._sizes.get(size)
        if font is None:
            file = BytesIO(self._source) if isinstance(self._source, bytes) else self._source
            font = self._sizes[size] = ImageFont.truetype(file, size)
            if len(self._sizes) > MAX_SIZES:
                self._sizes.popitem(last=False)
        self._sizes.move_to_end(size)
        return font


class FontBook:
    """All fonts at hand. Reading files is slow: call `warm` before the first room, off the event loop."""

    def __init__(self, folders: tuple[Path, ...] = SYSTEM_FOLDERS) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._bundled: dict[bool, tuple[FontFace, ...]] = {}
        self._system: tuple[FontFace, ...] | None = None

    def warm(self) -> None:
        """Read the bundled fonts and look through the system's."""
        self._faces(bold=True)
        self._faces(bold=False)
        self._system_faces()

    def face_for(self, text: str, *, bold: bool) -> FontFace | None:
        """The first font that can draw all of a text, of the system's rather one of this weight, or ``None``."""
        for face in self._faces(bold=bold):
            if face.covers(text):
                return face
        able = [face for face in self._system_faces() if face.covers(text)]
        return next((face for face in able if face.is_bold == bold), able[0] if able else None)

    def _faces(self, *, bold: bool) -> tuple[FontFace, ...]:
        with self._lock:
            if bold not in self._bundled:
                self._bundled[bold] = tuple(_bundled_faces(bold=bold))
            return self._bundled[bold]

    def _system_faces(self) -> tuple[FontFace, ...]:
        with self._lock:
            if self._system is None:
                files = [file for folder in self._folders if folder.is_dir() for file in folder.rglob("*.[ot]t[fc]")]
                files.sort(key=_preference)
                self._system = tuple(face for face in map(_read_face, files[:MAX_SYSTEM_FONTS]) if face is not None)
            return self._system


def _bundled_faces(*, bold: bool) -> list[FontFace]:
    faces = []
    source = importlib.import_module("pymupdf_fonts").myfont("figbo" if bold else "figo")
    faces.append(FontFace(source, read_coverage(BytesIO(source))))
    cjk = importlib.util.find_spec("noto_cjk_sans_otc")
    for folder in (cjk.submodule_search_locations or ()) if cjk else ():
        faces.extend(face for face in map(_read_face, Path(folder).glob("*.tt[cf]")) if face is not None)
    return faces


def _read_face(path: Path) -> FontFace | None:
    try:
        with path.open("rb") as file:
            return FontFace(path, read_coverage(file))
    except (OSError, ValueError):
        return None


def _preference(path: Path) -> tuple[int, str]:
    name = path.name.lower()
    return sum(word in name for word in _UNWANTED) + ("noto" not in name), name
