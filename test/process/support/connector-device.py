"""A device of the cloud connector over Debian's python3-websocket: answers what it is told, until it is closed.

    connector-device.py URL DEVICE_ID

A line on stdout for each thing that happens: "connected", "told TYPE PAYLOAD", "closed".
"""

import json
import sys

import websocket

url, device_id = sys.argv[1:]


def say(*words):
    print(*words, flush=True)


connection = websocket.create_connection(url, header={"device_id": device_id}, timeout=60)
say("connected")
connection.send(json.dumps({"temperature": 21.5}))
while True:
    text = connection.recv()
    if not text:
        break
    message = json.loads(text)
    say("told", message["message_type"], message["payload"])
    connection.send(json.dumps({"id": message["id"], "payload": message["payload"].upper()}))
say("closed")
