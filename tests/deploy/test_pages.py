"""Pages point at what is there, and every code that a failed job can show is explained."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
EXPLAINED = "".join((ROOT / "docs" / name).read_text() for name in ("operations/errors.md", "rows.md"))
CODE = re.compile(r'"([A-Z]+(?:_[A-Z]+)+)"')
NO_CODES = {"CARGO_PKG_VERSION", "KARYAKSHAM_SIMD", "SCREAMING_SNAKE_CASE"}
RAISED = re.compile(
    r'(?:Error|InvalidJob|TransientIo|Failure|internal)\(\s*(?:"[A-Z]+",\s*)?"([A-Z]+(?:_[A-Z]+)+)"'
)


def anchor(heading: str) -> str:
    """As pages of repositories make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        path, _, fragment = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if fragment and there.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            assert fragment in [anchor(heading) for heading in headings], target


def codes_of_the_engine() -> set[str]:
    sources = [path for room in ("core", "python") for path in (ROOT / "engine" / room / "src").rglob("*.rs")]
    assert sources
    return {code for path in sources for code in CODE.findall(path.read_text())} - NO_CODES


def codes_of_compute() -> set[str]:
    return {code for path in (ROOT / "compute").glob("*.py") for code in RAISED.findall(path.read_text())}


@pytest.mark.parametrize("code", sorted(codes_of_the_engine() | codes_of_compute()))
def test_every_code_of_a_failure_is_explained(code: str) -> None:
    assert f"`{code}`" in EXPLAINED
