"""A device made of Eclipse Paho: says hello, waits for its desired state, reports, leaves. Prints what it sees, one line each."""
import json
import os
import ssl

import paho.mqtt.client as mqtt

serial, port = os.environ["SERIAL"], int(os.environ["PORT"])
is_five = os.environ["VERSION"] == "5"
up, down = f"muster/v1/devices/{serial}/up/", f"muster/v1/devices/{serial}/down/"


def say(*words):
    print(*words, flush=True)


def on_connect(client, userdata, flags, reason, properties=None):
    say("connected", getattr(reason, "value", reason), "receive_maximum", getattr(properties, "ReceiveMaximum", None))
    client.subscribe(down + "#", 1)


def on_subscribe(client, userdata, mid, codes, properties=None):
    say("subscribed", *[getattr(code, "value", code) for code in codes])
    client.publish(up + "hello", os.environ["HELLO"], 1)


def on_message(client, userdata, message):
    say(message.topic.removeprefix(down), message.payload.decode())
    if message.topic == down + "desired":
        generation = json.loads(message.payload)["generation"]
        client.publish(up + "report", os.environ["REPORT"].replace("GENERATION", str(generation)), 1)
    elif message.topic == down + "ack" and json.loads(message.payload).get("kind", "").endswith("report"):
        client.disconnect()


def on_disconnect(client, userdata, reason, properties=None):
    say("left", getattr(reason, "value", reason))


client = mqtt.Client(client_id=serial, protocol=mqtt.MQTTv5 if is_five else mqtt.MQTTv311)
client.tls_set(os.environ["CA"], os.environ["CERTIFICATE"], os.environ["KEY"], cert_reqs=ssl.CERT_REQUIRED)
client.on_connect, client.on_subscribe = on_connect, on_subscribe
client.on_message, client.on_disconnect = on_message, on_disconnect
client.connect("localhost", port, keepalive=30)
client.loop_forever()
