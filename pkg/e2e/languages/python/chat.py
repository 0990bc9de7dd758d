#!/usr/bin/env python3
"""chat.py URL polling|websocket|default sync|async: a chatter on python-socketio, for the end-to-end tests; see ../doc.go."""
import asyncio
import base64
import functools
import json
import sys
import threading

import socketio

OPTIONS = {"reconnection_delay": 0.3, "reconnection_delay_max": 1}
lock = threading.Lock()


def tell(what, value=None):
    with lock:
        print(json.dumps({what: from_bytes(value)}), flush=True)


def to_bytes(value):
    """{"$bytes": "…"} stands for what the client sends as an attachment."""
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        return {k: to_bytes(v) for k, v in value.items()}
    return [to_bytes(v) for v in value] if isinstance(value, list) else value


def from_bytes(value):
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {k: from_bytes(v) for k, v in value.items()}
    return [from_bytes(v) for v in value] if isinstance(value, (list, tuple)) else value


def patient(client):
    """Lets a client that connects again wait longer for its namespace than the second after which it gives up for good."""
    client.connect = functools.partial(client.connect, wait_timeout=30)


def run_sync(url, **how):
    client = socketio.Client(**OPTIONS)
    patient(client)
    client.on("connect", lambda: tell("connect"), namespace="/chat")
    client.on("disconnect", lambda *reason: tell("disconnect"), namespace="/chat")
    client.on("msgToClient", lambda *args: tell("heard", args[0] if args else None), namespace="/chat")
    client.connect(url, namespaces=["/chat"], **how)
    for line in sys.stdin:
        try:
            client.emit("msgToServer", to_bytes(json.loads(line)), namespace="/chat")
        except socketio.exceptions.BadNamespaceError:
            tell("unsaid")  # between two connections; npm's clients would keep it
    client.disconnect()


async def run_async(url, **how):
    client = socketio.AsyncClient(**OPTIONS)
    patient(client)

    async def connected():
        tell("connect")

    async def disconnected(*reason):
        tell("disconnect")

    async def heard(*args):
        tell("heard", args[0] if args else None)

    client.on("connect", connected, namespace="/chat")
    client.on("disconnect", disconnected, namespace="/chat")
    client.on("msgToClient", heard, namespace="/chat")
    await client.connect(url, namespaces=["/chat"], **how)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            await client.emit("msgToServer", to_bytes(json.loads(line)), namespace="/chat")
        except socketio.exceptions.BadNamespaceError:
            tell("unsaid")
    await client.disconnect()


def main():
    url, transport, kind = sys.argv[1:4]
    how = {} if transport == "default" else {"transports": [transport]}
    if kind == "sync":
        run_sync(url, **how)
    else:
        asyncio.run(run_async(url, **how))


if __name__ == "__main__":
    main()
