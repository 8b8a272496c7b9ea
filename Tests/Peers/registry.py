"""A front of a real registry, with what that lacks: tokens, blobs elsewhere, uploads that keep every byte.

registry.py UPSTREAM PORT-FILE LOG FOLDER [WORD...]: answers on a free port of 127.0.0.1 and 127.0.0.2, which it writes
to PORT-FILE, and asks the registry at UPSTREAM (HOST:PORT, plain). Words:
  token          wants a token of /token, which takes the login somebody:secret or the refresh token `refresh-me`, and
                 runs out after 20 requests; with `narrow` there is none for more than one scope, with `realm-ADDRESS`
                 it sends the client there for one
  basic          wants that login itself
  elsewhere      sends the client to 127.0.0.2 for blobs, and has uploads go on there
  sessions       keeps uploads itself, cut-off pieces included, and takes its time for them; with `whole` in one piece
                 only, with `forgetful` it takes little of a piece and forgets the upload at the next, with `partly` it
                 takes 1000 bytes of a piece and breaks off, with `shortly` it takes as many and answers 416, with
                 `get-STATUS` it answers so when it is asked how far an upload has come
  mount-STATUS   answers so when it is to take a blob from another repository
  later-SECONDS  answers 503 to the first request and has the client wait so long
  tags-PLACE     has a list of tags of which the next page is the same, another each time or on another host (`same`,
                 `more`, `away`)
  referrers      keeps a list of referrers
One line a request goes to LOG: address, method, path, kind of authorization, status, bytes of the body.
"""
import base64
import hashlib
import http.client
import json
import os
import secrets
import socketserver
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler

UPSTREAM, PORT_FILE, LOG_FILE, FOLDER = sys.argv[1:5]
WORDS = set(sys.argv[5:])
LOG = open(LOG_FILE, "a", buffering=1)
TOKENS = {}
REFERRERS = {}
LATER = [word[6:] for word in WORDS if word.startswith("later-")]
LOCK = threading.Lock()
PORT = 0


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers=(), body=b""):
        kind = self.headers.get("Authorization", "-").split(" ")[0]
        path = self.path.split("?")[0]
        LOG.write("%s %s %s %s %d %d\n" % (
            self.server.server_address[0], self.command, path, kind, status,
            int(self.headers.get("Content-Length") or 0)))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def upstream(self, method, path, body=None, headers=()):
        connection = http.client.HTTPConnection(UPSTREAM, timeout=60)
        connection.request(method, path, body=body, headers=dict(headers))
        response = connection.getresponse()
        data = response.read()
        kept = [(n, v) for n, v in response.getheaders()
                if n.lower() not in ("connection", "transfer-encoding", "date")]
        return response.status, kept, data

    def token(self):
        form = self.path.partition("?")[2]
        if self.command == "POST":
            form = self.body().decode()
        fields = urllib.parse.parse_qs(form)
        login = base64.b64encode(b"somebody:secret").decode()
        may = self.headers.get("Authorization") == "Basic " + login
        if self.command == "POST":
            may = fields.get("refresh_token") == ["refresh-me"] and fields.get("grant_type") == ["refresh_token"]
        if not may:
            return self.answer(401, [("Content-Type", "application/json")], b'{"errors": [{"code": "UNAUTHORIZED"}]}')
        scopes = " ".join(fields.get("scope", [])).split()
        if "narrow" in WORDS and len(scopes) > 1:
            return self.answer(403, [("Content-Type", "application/json")], b'{"errors": [{"code": "DENIED"}]}')
        word = secrets.token_urlsafe(24)
        with LOCK:
            TOKENS[word] = [20, scopes]
        return self.answer(200, [("Content-Type", "application/json")], json.dumps({"token": word}).encode())

    def allowed(self, repository):
        needed = "push" if self.command in ("POST", "PATCH", "PUT") or "/uploads/" in self.path else "pull"
        kind, _, word = self.headers.get("Authorization", "").partition(" ")
        with LOCK:
            entry = TOKENS.get(word) if kind == "Bearer" else None
            if entry and entry[0] > 0:
                entry[0] -= 1
                for scope in entry[1]:
                    name, actions = scope.split(":")[1:3]
                    if name == repository and needed in actions.split(","):
                        return True
        scope = "repository:%s:%s" % (repository, "pull,push" if needed == "push" else "pull")
        realm = ([word[6:] for word in WORDS if word.startswith("realm-")] + ["http://127.0.0.1:%d/token" % PORT])[0]
        challenge = 'Bearer realm="%s",service="front",scope="%s"' % (realm, scope)
        self.close_connection = True
        self.answer(401, [("WWW-Authenticate", challenge), ("Content-Type", "application/json")],
                    b'{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}')
        return False

    def session(self, repository, name):
        """An upload that this front keeps itself."""
        file = os.path.join(FOLDER, name)
        here = "/v2/%s/blobs/uploads/%s" % (repository, name)
        status = [word[4:] for word in WORDS if word.startswith("get-")]
        if self.command == "GET" and status:
            return self.answer(int(status[0]))
        if not os.path.exists(file):
            return self.answer(404)
        size = os.path.getsize(file)
        if self.command == "PATCH":
            first = int((self.headers.get("Content-Range") or "0-").split("-")[0])
            left = int(self.headers.get("Content-Length") or 0)
            if first > 0 and "whole" in WORDS:
                os.remove(file)
                self.close_connection = True
                return self.answer(416)
            if first != size:
                self.close_connection = True
                return self.answer(416, [("Location", here), ("Range", "0-%d" % max(0, size - 1))])
            if first > 0 and "forgetful" in WORDS:
                self.body()
                open(file, "wb").close()
                return self.answer(416)
            if "forgetful" in WORDS:
                open(file, "wb").write(self.body()[:100])
                return self.answer(202, [("Location", here), ("Range", "0-%d" % (os.path.getsize(file) - 1))])
            if left > 1000 and WORDS & {"partly", "shortly"}:
                with open(file, "ab") as out:
                    out.write(self.rfile.read(1000))
                self.close_connection = True
                if "partly" in WORDS:
                    return None
                self.rfile.read(left - 1000)
                return self.answer(416)
            with open(file, "ab", buffering=0) as out:
                while left > 0:
                    piece = self.rfile.read1(min(left, 65536))
                    if not piece:
                        self.close_connection = True
                        return None
                    out.write(piece)
                    time.sleep(0.003)
                    left -= len(piece)
            return self.answer(202, [("Location", here), ("Range", "0-%d" % (os.path.getsize(file) - 1))])
        if self.command == "GET":
            return self.answer(204, [("Location", here), ("Range", "0-%d" % max(0, size - 1))])
        digest = urllib.parse.parse_qs(self.path.partition("?")[2])["digest"][0]
        data = open(file, "rb").read()
        if "sha256:" + hashlib.sha256(data).hexdigest() != digest:
            return self.answer(400, [], b'{"errors": [{"code": "DIGEST_INVALID"}]}')
        _, headers, _ = self.upstream("POST", "/v2/%s/blobs/uploads/" % repository)
        place = urllib.parse.urlsplit(dict(headers)["Location"])
        path = "%s?%s&digest=%s" % (place.path, place.query, digest)
        status, _, data = self.upstream("PUT", path, data, [("Content-Type", "application/octet-stream")])
        os.remove(file)
        return self.answer(status, [], data)

    def serve(self):
        path = self.path.partition("?")[0]
        if LATER:
            return self.answer(503, [("Retry-After", LATER.pop())])
        if path == "/token":
            return self.token()
        if path.startswith("/elsewhere/"):
            headers = [(n, v) for n, v in self.headers.items() if n.lower() in ("range", "if-range")]
            return self.answer(*self.upstream(self.command, path[len("/elsewhere"):], None, headers))
        repository = path[len("/v2/"):]
        for mark in ("/manifests/", "/blobs/", "/tags/", "/referrers/"):
            repository = repository.partition(mark)[0]
        if "token" in WORDS and self.server.server_address[0] != "127.0.0.2" and not self.allowed(repository):
            return None
        login = "Basic " + base64.b64encode(b"somebody:secret").decode()
        is_elsewhere = self.server.server_address[0] == "127.0.0.2"
        if "basic" in WORDS and not is_elsewhere and self.headers.get("Authorization") != login:
            self.close_connection = True
            return self.answer(401, [("WWW-Authenticate", 'Basic realm="all"')])
        status = [word[6:] for word in WORDS if word.startswith("mount-")]
        if self.command == "POST" and "mount=" in self.path and status:
            return self.answer(int(status[0]))
        place = [word[5:] for word in WORDS if word.startswith("tags-")]
        if path.endswith("/tags/list") and place:
            query = urllib.parse.parse_qs(self.path.partition("?")[2])
            last = int(query.get("last", ["0"])[0])
            following = {"same": self.path, "more": "%s?n=1000&last=%d" % (path, last + 1),
                         "away": "http://127.0.0.2:%d%s" % (PORT, self.path)}[place[0]]
            return self.answer(200, [("Content-Type", "application/json"), ("Link", '<%s>; rel="next"' % following)],
                               json.dumps({"name": repository, "tags": ["tag-%d" % last]}).encode())
        if "elsewhere" in WORDS and self.command == "GET" and "/blobs/sha256:" in path:
            return self.answer(307, [("Location", "http://127.0.0.2:%d/elsewhere%s" % (PORT, path))])
        if "sessions" in WORDS and "/blobs/uploads/" in path and "mount=" not in self.path:
            name = path.rpartition("/")[2]
            if self.command == "POST":
                name = secrets.token_hex(8)
                open(os.path.join(FOLDER, name), "wb").close()
                return self.answer(202, [("Location", "/v2/%s/blobs/uploads/%s" % (repository, name))])
            return self.session(repository, name)
        if "referrers" in WORDS and "/referrers/" in path:
            found = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                     "manifests": REFERRERS.get(path.rpartition("/")[2], [])}
            return self.answer(200, [("Content-Type", found["mediaType"])], json.dumps(found).encode())
        body = self.body()
        headers = [(n, v) for n, v in self.headers.items() if n.lower() in ("accept", "content-type", "range", "if-range")]
        status, kept, data = self.upstream(self.command, self.path, body, headers)
        if "referrers" in WORDS and self.command == "PUT" and "/manifests/" in path and status == 201:
            manifest = json.loads(body)
            if "subject" in manifest:
                subject = manifest["subject"]["digest"]
                one = {"mediaType": manifest["mediaType"], "digest": "sha256:" + hashlib.sha256(body).hexdigest(),
                       "size": len(body), "artifactType": manifest["artifactType"]}
                listed = REFERRERS.setdefault(subject, [])
                if one not in listed:
                    listed.append(one)
                kept.append(("OCI-Subject", subject))
        away = "http://127.0.0.2:%d/" % PORT if "elsewhere" in WORDS and self.command in ("POST", "PATCH") else "/"
        kept = [(n, v.replace("http://%s/" % UPSTREAM, away) if n.lower() == "location" else v) for n, v in kept]
        return self.answer(status, kept, data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = serve


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True


first = Server(("127.0.0.1", 0), Front)
PORT = first.server_address[1]
second = Server(("127.0.0.2", PORT), Front)
threading.Thread(target=second.serve_forever, daemon=True).start()
with open(PORT_FILE + ".new", "w") as out:
    out.write("%d" % PORT)
os.rename(PORT_FILE + ".new", PORT_FILE)
first.serve_forever()
