"""A stand-in for the Hugging Face hub on the loopback interface: one data set or model, read only."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

NAME = "someone/pets"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
DATE = "2024-01-01T00:00:00.000Z"
INFO = {"id": NAME, "sha": COMMIT, "private": False, "disabled": False, "gated": False, "downloads": 0, "likes": 0, "tags": [], "lastModified": DATE}


def entries(files: Mapping[str, bytes], folder: str = "") -> list[dict[str, object]]:
    """What lies directly in `folder`, as the hub lists it."""
    commit = {"id": COMMIT, "title": "data", "date": DATE}
    prefix = f"{folder}/" if folder else ""
    found: dict[str, dict[str, object]] = {}
    for path, content in files.items():
        if path.startswith(prefix):
            head, _, rest = path.removeprefix(prefix).partition("/")
            kind = {"type": "directory", "size": 0} if rest else {"type": "file", "size": len(content)}
            found[head] = {**kind, "path": prefix + head, "oid": "0" * 40, "lastCommit": commit}
    return list(found.values())


@contextmanager
def hub(files: Mapping[str, bytes], kind: str = "datasets") -> Iterator[str]:
    """Serve `files` as the data set NAME, or as the model ("models"); yields the address for HF_ENDPOINT."""
    served = (f"/api/{kind}/{NAME}", f"/{NAME}" if kind == "models" else f"/{kind}/{NAME}")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def answer(self, body: bytes, code: int = 200, **headers: str) -> None:
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def tell(self, value: object) -> None:
            self.answer(json.dumps(value).encode(), Content_Type="application/json")

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            _, _, rest = path.partition(NAME)
            verb, _, where = rest.strip("/").partition("/")
            _, _, file = where.partition("/")
            if not path.startswith(served):
                self.answer(b"{}", 404, X_Error_Code="RepoNotFound")
            elif verb == "resolve" and file in files:
                self.answer(files[file], ETag=f'"{hashlib.sha1(files[file]).hexdigest()}"', X_Repo_Commit=COMMIT)
            elif verb == "resolve":
                self.answer(b"", 404, X_Error_Code="EntryNotFound", X_Repo_Commit=COMMIT)
            elif verb == "tree":
                self.tell(entries(files, file))
            elif verb == "commits":
                self.tell([{"id": COMMIT, "title": "data", "message": "", "date": DATE, "authors": []}])
            else:
                self.tell({**INFO, "siblings": [{"rfilename": name} for name in files]})

        do_HEAD = do_GET

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            wanted = json.loads(body)["paths"] if body.startswith("{") else parse_qs(body)["paths"]
            known = entries(files) + entries(files, "data")
            self.tell([entry for entry in known if entry["path"] in wanted])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
