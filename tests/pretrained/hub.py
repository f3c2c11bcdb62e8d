"""A hub on the loopback, as much of it as huggingface_hub asks for: repositories in memory, commit by commit."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hub:
    """What lies in each repository, commit by commit (the last is `main`), and every request."""

    url: str = ""
    commits: dict[str, list[dict[str, bytes]]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    """What it says of the sizes of files, where that is something else."""
    created: dict[str, Any] = field(default_factory=dict)
    cards: list[str] = field(default_factory=list)
    """The model cards whose front matter was asked about."""

    def sha(self, repo: str, number: int) -> str:
        return hashlib.sha1(f"{repo} {number}".encode()).hexdigest()

    def commit(self, repo: str, files: dict[str, bytes]) -> str:
        """A new commit with these files; its hash."""
        self.commits.setdefault(repo, []).append(files)
        return self.sha(repo, len(self.commits[repo]) - 1)

    def files(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        commits = self.commits.get(repo, [])
        for number, files in reversed(list(enumerate(commits))):
            if revision in ("main", self.sha(repo, number)):
                return self.sha(repo, number), files
        return None

    def fetched(self) -> list[str]:
        """The files that somebody got, in order."""
        return sorted({path.rpartition("/resolve/")[2].partition("/")[2] for how, path in self.requests if how == "GET"
                       and "/resolve/" in path})  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = self.path.partition("?")[0]
        self.hub.requests.append((self.command, path))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = [part.replace("%2F", "/") for part in path.strip("/").split("/")]
        match parts:
            case ["api", "repos", "create"]:
                given = json.loads(body)
                repo = f"{given.get('organization') or 'me'}/{given['name']}"
                self.hub.commits.setdefault(repo, [{}])
                self.hub.created[repo] = given
                self.json({"url": f"{self.hub.url}/{repo}", "name": repo, "id": repo})
            case ["api", "validate-yaml"]:
                self.hub.cards.append(json.loads(body)["content"])
                self.json({"errors": [], "warnings": []})
            case ["api", "whoami-v2"]:
                self.json({"type": "user", "name": "me", "auth": {}})
            case ["api", "models", owner, name, "preupload", _]:
                asked = json.loads(body)["files"]
                modes = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in asked]
                self.json({"files": modes})
            case ["api", "models", owner, name, "commit", _]:
                files = dict(self.hub.commits[f"{owner}/{name}"][-1])
                for line in map(json.loads, body.splitlines()):
                    if line["key"] == "file":
                        files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                sha = self.hub.commit(f"{owner}/{name}", files)
                self.json({"commitUrl": f"{self.hub.url}/{owner}/{name}/commit/{sha}", "commitOid": sha})
            case ["api", "models", owner, name, "revision", revision]:
                self.info(f"{owner}/{name}", revision)
            case ["api", "models", owner, name]:
                self.info(f"{owner}/{name}", "main")
            case ["api", "models", owner, name, "tree", revision, *_]:
                found = self.hub.files(f"{owner}/{name}", revision)
                if found is None:
                    return self.missing()
                self.json([{"type": "file", "path": path, "size": len(data), "oid": self.oid(data)}
                           for path, data in found[1].items()])  # fmt: skip
            case [owner, name, "resolve", revision, *file]:
                found = self.hub.files(f"{owner}/{name}", revision)
                data = None if found is None else found[1].get("/".join(file))
                if found is None or data is None:
                    return self.missing("EntryNotFound")
                self.send(data, {"ETag": f'"{self.oid(data)}"', "X-Repo-Commit": found[0]})
            case _:
                self.missing()
        return None

    def oid(self, data: bytes) -> str:
        return hashlib.sha1(data).hexdigest()

    def info(self, repo: str, revision: str) -> None:
        found = self.hub.files(repo, revision)
        if found is None:
            return self.missing("RepoNotFound" if repo not in self.hub.commits else "RevisionNotFound")
        sha, files = found
        return self.json({"id": repo, "modelId": repo, "sha": sha, "private": False, "tags": [],
                          "siblings": [{"rfilename": name, "size": self.hub.sizes.get(name, len(data))}
                                       for name, data in files.items()]})  # fmt: skip

    def json(self, content: object) -> None:
        self.send(json.dumps(content).encode(), {"Content-Type": "application/json"})

    def missing(self, code: str = "RepoNotFound") -> None:
        self.send(b"{}", {"X-Error-Code": code, "X-Error-Message": "not found"}, status=404)

    def send(self, data: bytes, headers: dict[str, str], status: int = 200) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


@contextmanager
def serving() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
