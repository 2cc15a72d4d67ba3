#!/usr/bin/env python3
"""A device of the cloud connector in Python (Debian: python3-websocket). Answers commands, sends a reading, comes back."""
import json
import os
import random
import sys
import time

import websocket

host, port, device = (sys.argv[1:] + ["localhost", "8080", "python-1"][len(sys.argv) - 1:])[:3]
headers = [f"device_id: {device}"]
if "TOKEN" in os.environ:
    headers.append("Authorization: Bearer " + os.environ["TOKEN"])


def on_open(socket):
    print(device, "connected", flush=True)
    socket.send(json.dumps({"temperature": round(20 + 2 * random.random(), 1)}))


def on_message(socket, text):
    message = json.loads(text)
    print(device, message["message_type"], message["payload"], flush=True)
    # The same id makes it the answer.
    socket.send(json.dumps({"id": message["id"], "payload": "done: " + message["payload"]}))


failures = 0
while True:
    app = websocket.WebSocketApp(f"ws://{host}:{port}/connect", header=headers, on_open=on_open, on_message=on_message)
    began = time.monotonic()
    app.run_forever(ping_interval=30, ping_timeout=10)
    failures = 1 if time.monotonic() - began > 60 else failures + 1
    time.sleep(random.random() * min(60, 2 ** min(failures, 6)))
