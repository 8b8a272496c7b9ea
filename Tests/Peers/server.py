"""A server that misbehaves in the ways that nginx does not, and a proxy.

server.py BODY PORT-FILE LOG: serves the file BODY on a free port of 127.0.0.1, which it writes to PORT-FILE. The path
says what goes wrong. One line a request goes to LOG: path, range, if-range, authorization.
"""
import os
import socket
import struct
import sys
import threading
import time

BODY = open(sys.argv[1], "rb").read()
HALF = len(BODY) // 2
LOG = open(sys.argv[3], "a", buffering=1)
COUNTS = {}
LOCK = threading.Lock()


def head(status, *lines):
    return ("HTTP/1.1 %s\r\n%s\r\n" % (status, "".join(line + "\r\n" for line in lines))).encode()


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def good(client, first, tag='ETag: "a"', body=BODY, shift=0):
    """The file, or what is missing of it."""
    if first is None:
        client.sendall(head("200 OK", tag, "Content-Length: %d" % len(body), "Connection: close") + body)
    else:
        extent = "Content-Range: bytes %d-%d/%d" % (first + shift, len(body) - 1, len(body))
        rest = body[first + shift:]
        client.sendall(head("206 Partial Content", tag, extent, "Content-Length: %d" % len(rest)) + rest)


def half(client, tag='ETag: "a"', length=True):
    lines = [tag, "Connection: close"] + (["Content-Length: %d" % len(BODY)] if length else [])
    client.sendall(head("200 OK", *lines) + BODY[:HALF])


def serve(client, path, first, count):
    name = path.strip("/").split("/")
    what = name[0]
    if what == "good":
        good(client, first)
    elif what == "endless":
        client.sendall(head("200 OK", "Transfer-Encoding: chunked"))
        while True:
            client.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    elif what == "heads":
        client.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            client.sendall(b"X-Filler: " + b"x" * 8000 + b"\r\n")
    elif what == "garbage":
        client.sendall(b"\x00\x01\x02 this is no HTTP\n" * 10)
    elif what == "silent":
        time.sleep(20)
    elif what == "status":
        client.sendall(head(name[1] + " Because", "Content-Length: 0"))
    elif what == "flaky":
        if count <= int(name[1]):
            client.sendall(head("500 Broken", "Content-Length: 6") + b"broken")
        else:
            good(client, first)
    elif what == "later":
        if count == 1:
            client.sendall(head("503 Busy", "Retry-After: 1", "Content-Length: 0"))
        else:
            good(client, first)
    elif what == "nosize":
        client.sendall(head("200 OK", "Connection: close") + BODY)
    elif what == "cut":
        client.sendall(head("200 OK", "Connection: close") + BODY[:HALF])
    elif what == "page":
        page = b"<html>sorry</html>"
        client.sendall(head("200 OK", "Content-Length: %d" % len(page)) + page)
    elif what == "hop":
        number = int(name[1])
        client.sendall(head("302 On", "Location: " + ("/hop/%d" % (number - 1) if number else "/good")))
    elif what == "send":
        client.sendall(head("302 On", "Location: " + bytes.fromhex(name[1]).decode()))
    elif what == "nowhere":
        client.sendall(head("302 On", "Content-Length: 0"))
    # From here on: half of the file at first, and something odd when the rest is asked for.
    elif count == 1 and what == "dated":
        half(client, "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT")
    elif count == 1 and what == "truncated":
        half(client, length=False)
    elif count == 1 and what == "chunks":
        piece = BODY[:HALF]
        client.sendall(head("200 OK", 'ETag: "a"', "Transfer-Encoding: chunked"))
        client.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
    elif count == 1 and what in ("weak", "weakly"):
        half(client, 'ETag: W/"a"')
    elif count == 1:
        half(client)
        if what == "stall":
            time.sleep(20)
        elif what == "reset":
            time.sleep(0.2)
            reset(client)
    elif what == "changed":
        good(client, None, 'ETag: "b"', BODY[::-1])
    elif what == "liar":
        good(client, first, 'ETag: "b"', BODY[::-1])
    elif what == "range":
        if first is None:
            good(client, None)
        else:
            client.sendall(head("416 No", "Content-Range: bytes */%d" % len(BODY), "Content-Length: 0"))
    elif what == "never":
        client.sendall(head("416 No", "Content-Length: 0"))
    elif what == "shifted":
        good(client, first, shift=1 if first is not None else 0)
    elif what == "damaged":
        good(client, first, body=BODY if first is None else BODY[:-1] + b"?")
    elif what == "dated":
        good(client, first, "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT")
    elif what == "always":
        half(client)
    else:
        good(client, first)


def relay(client, other):
    def pump(a, b):
        try:
            while True:
                data = a.recv(65536)
                if not data:
                    break
                b.sendall(data)
        except OSError:
            pass
        try:
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    thread = threading.Thread(target=pump, args=(client, other), daemon=True)
    thread.start()
    pump(other, client)
    thread.join(5)


def proxy(client, method, target, text, fields):
    if fields.get("proxy-authorization", "") == "" and os.environ.get("PROXY_PASSWORD"):
        return client.sendall(head("407 Who", "Proxy-Authenticate: Basic realm=x", "Content-Length: 0"))
    place = target if method == "CONNECT" else target.split("/")[2]
    host, _, port = place.partition(":")
    if host.endswith(".test"):
        host = "127.0.0.1"
    other = socket.create_connection((host, int(port or 80)))
    if method == "CONNECT":
        client.sendall(b"HTTP/1.1 200 Connected\r\nX-Of-The-Proxy: yes\r\n\r\n")
    else:
        path = "/" + "/".join(target.split("/")[3:])
        lines = [line for line in text.split("\r\n")[1:] if not line.lower().startswith("proxy-")]
        other.sendall(("\r\n".join(["%s %s HTTP/1.1" % (method, path)] + lines)).encode())
    relay(client, other)


def handle(client):
    try:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = client.recv(65536)
            if not piece:
                return
            data += piece
        text = data.decode()
        method, target, _ = text.split("\r\n")[0].split(" ")
        fields = {}
        for line in text.split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            fields[key.lower()] = value
        first = None
        if fields.get("range", "").startswith("bytes="):
            first = int(fields["range"][6:].split("-")[0])
        with LOCK:
            count = COUNTS[target] = COUNTS.get(target, 0) + 1
            LOG.write("%s range=%s ifrange=%s auth=%s agent=%s\n" % (
                target, fields.get("range", "-"), fields.get("if-range", "-"), fields.get("authorization", "-"),
                fields.get("user-agent", "-")))
        if method == "CONNECT" or target.startswith("http://"):
            proxy(client, method, target, text, fields)
        else:
            serve(client, target, first, count)
    except OSError:
        pass
    finally:
        client.close()


def main():
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("0.0.0.0", 0))
    server.listen(64)
    with open(sys.argv[2] + ".new", "w") as file:
        file.write("%d" % server.getsockname()[1])
    os.rename(sys.argv[2] + ".new", sys.argv[2])
    while True:
        client, _ = server.accept()
        threading.Thread(target=handle, args=(client,), daemon=True).start()


main()
