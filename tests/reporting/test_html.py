"""The page's text: complete, escaped, self-contained and a function of the records."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.runs import MODELS, Plot, write_run

import windtunnel.reporting
from windtunnel.reporting import sections
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.html import render
from windtunnel.reporting.leaderboard import Leaderboard
from windtunnel.reporting.texts import percent

HOSTILE = (
    "<script>alert('x')</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "</style></svg>'",
    "\u05e9\u05dc\u05d5\u05dd \u202e",
    "w" * 300,
)

VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """Collects tags and checks that they close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        if not (self.open and self.open[-1] in ("script", "style")):
            self.text.append(data)


@pytest.fixture(scope="module")
def page(broken):
    return render(broken)


def test_every_tag_is_closed(page):
    assert Page(page).open == []


def test_the_same_records_give_the_same_bytes(broken, page):
    assert render(RunFolder.load(broken.path)) == page


def test_nothing_in_it_points_anywhere(page):
    parsed = Page(page)
    assert not re.search(r"https?://|//[a-z0-9.-]+/", page.replace("\n", " ")[: page.index("<body>")])
    for _, attributes in parsed.tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    assert "https://" not in page
    assert not [tag for tag, attributes in parsed.tags if tag not in ("svg",) and any(key.startswith("on") for key in attributes)]
    assert [attributes for _, attributes in parsed.tags if "style" in attributes] == []


def test_every_link_within_the_page_has_a_target(page):
    parsed = Page(page)
    targets = {attributes["id"] for _, attributes in parsed.tags if "id" in attributes}
    links = {attributes["href"][1:] for _, attributes in parsed.tags if (attributes.get("href") or "").startswith("#")}
    assert links <= targets
    assert {"leaderboard", "tradeoff", "levels", "training", "samples", "failed", "provenance", "reproduce"} <= links


def test_every_picture_and_chart_has_words(page):
    for tag, attributes in Page(page).tags:
        if tag == "img":
            assert attributes["alt"]
            assert attributes["src"].startswith("data:image/png;base64,")
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or attributes["aria-label"]


def test_it_says_everything_that_the_records_know(page, broken):
    text = " ".join("".join(Page(page).text).split())
    board = Leaderboard.of(broken)
    best = board.entries[0].figures["headline"].estimate
    assert f"{percent(best.value)} % worst-case accuracy of apgd at 8/255" in text
    manifest = broken.manifest
    facts = (manifest.data.fingerprint, "torch 2.14.0", "AMD EPYC", "1 failed", "VictimError", "label_smoothing", "interpolation: bilinear")
    assert [fact for fact in facts if fact not in text] == []
    assert all(record.key in text for record in broken.records if record.key)
    assert "suite: quickstart" in text
    assert "models: [windtunnel/micro-resnet, windtunnel/micro-vit]" in text


def test_it_says_what_all_cells_took_whoever_computed_them_when(page, broken):
    seconds = sum(broken.manifest.body["seconds"].values())
    assert f"{int(seconds // 60)} min {round(seconds) % 60} s of computing" in page


def test_hostile_names_are_shown_as_text(tmp_path):
    plot = Plot(models=MODELS[:1], recipes=HOSTILE, seeds=(0,), samples=20, name="<b>suite</b>", error="<i>boom</i>")
    page = render(RunFolder.load(write_run(tmp_path, plot)))
    parsed = Page(page)
    assert parsed.open == []
    assert sum(tag == "script" for tag, _ in parsed.tags) == 1
    assert all("onerror" not in attributes for _, attributes in parsed.tags)
    text = "".join(parsed.text)
    for name in HOSTILE:
        assert name.replace("\u202e", " ").strip() in text
    assert "\u202e" not in page
    assert "49" not in re.findall(r"<bdi[^>]*>([^<]*)</bdi>", page)


def test_an_image_that_is_no_base64_is_left_out():
    example = {"id": "a", "level": "1", "label": 0, "before": 0, "after": 9, "images": ['"><script>', "aGk="]}
    found = sections._sample(example, ("zero",))
    assert (found.images, found.label, found.after) == (("aGk=",), "zero", "9")


def test_verdicts_say_whether_the_data_can_tell(run, tmp_path, small):
    def sentence(folder):
        return " ".join("".join(Page(render(folder)).text).split("Skip to the leaderboard")[1:]).split("cells done")[0]

    assert "leads with" in sentence(run)
    twins = RunFolder.load(write_run(tmp_path / "twins", Plot(**{**small, "models": MODELS[:1], "recipes": ("full", "twin")})))
    assert "cannot separate any of the 2 entries" in sentence(twins)
    one = RunFolder.load(write_run(tmp_path / "one", Plot(models=MODELS[:1], recipes=("full",), seeds=(0,), samples=20)))
    assert "reaches" in sentence(one)
    fail = [(MODELS[0], "full", 0, "digits-linf", "apgd")]
    none = RunFolder.load(write_run(tmp_path / "none", Plot(models=MODELS[:1], recipes=("full",), seeds=(0,), samples=20, fail=fail)))
    assert "No entry has a figure" in sentence(none)


def test_a_run_in_which_everything_failed_still_has_a_page(tmp_path):
    fail = [(MODELS[0], "full", 0, "", "")]
    folder = RunFolder.load(write_run(tmp_path, Plot(models=MODELS[:1], recipes=("full",), seeds=(0,), samples=20, fail=fail)))
    assert "Failed cells" in render(folder)


def test_a_report_needs_neither_torch_nor_pandas_nor_scipy(run):
    code = (
        "import sys; from windtunnel.reporting.report import Report; r = Report(sys.argv[1]); r.html(); r.leaderboard;"
        "print([m for m in ('torch', 'pandas', 'scipy', 'altair', 'sklearn', 'PIL', 'pyarrow.dataset') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(run.path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_module_of_reporting_imports_torch_or_pandas():
    for path in Path(windtunnel.reporting.__file__).parent.glob("*.py"):
        names = {
            alias.name.split(".")[0] if isinstance(node, ast.Import) else (node.module or "").split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert not names & {"torch", "pandas", "scipy", "altair"}, path
