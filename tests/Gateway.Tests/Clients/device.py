"""A device made of Eclipse Paho: tells its status twice, says hello, waits for its desired state, reports, leaves. Prints what it sees,
one line each. With MQTT 5 the second status has an alias in place of its topic, and the report is a part of a trace."""
import json
import os
import ssl

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

serial, port = os.environ["SERIAL"], int(os.environ["PORT"])
is_five = os.environ["VERSION"] == "5"
up, down = f"muster/v1/devices/{serial}/up/", f"muster/v1/devices/{serial}/down/"


def say(*words):
    print(*words, flush=True)


def properties_of(**values):
    properties = Properties(PacketTypes.PUBLISH) if is_five else None
    for name, value in values.items() if is_five else ():
        setattr(properties, name, value)
    return properties


def on_connect(client, userdata, flags, reason, properties=None):
    say("connected", getattr(reason, "value", reason), "receive_maximum", getattr(properties, "ReceiveMaximum", None),
        "topic_alias_maximum", getattr(properties, "TopicAliasMaximum", None))
    client.subscribe(down + "#", 1)


def on_subscribe(client, userdata, mid, codes, properties=None):
    say("subscribed", *[getattr(code, "value", code) for code in codes])
    client.publish(up + "status", os.environ["STATUS"], 1, properties=properties_of(TopicAlias=1))
    client.publish("" if is_five else up + "status", os.environ["STATUS"], 1, properties=properties_of(TopicAlias=1))
    client.publish(up + "hello", os.environ["HELLO"], 1)


def on_message(client, userdata, message):
    say(message.topic.removeprefix(down), message.payload.decode())
    if message.topic == down + "desired":
        generation = json.loads(message.payload)["generation"]
        report = os.environ["REPORT"].replace("GENERATION", str(generation))
        client.publish(up + "report", report, 1, properties=properties_of(UserProperty=("traceparent", os.environ["TRACE"])))
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
