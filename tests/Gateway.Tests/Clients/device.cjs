// A device made of MQTT.js: says hello, waits for its desired state, reports, leaves. Prints what it sees, one line each.
const fs = require("node:fs");
const mqtt = require("mqtt");

const { SERIAL, PORT, VERSION, CA, CERTIFICATE, KEY, HELLO, REPORT } = process.env;
const up = `muster/v1/devices/${SERIAL}/up/`;
const down = `muster/v1/devices/${SERIAL}/down/`;
const say = (...words) => console.log(...words);

const client = mqtt.connect({
  protocol: "mqtts",
  host: "localhost",
  port: Number(PORT),
  clientId: SERIAL,
  protocolVersion: Number(VERSION),
  keepalive: 30,
  reconnectPeriod: 0,
  ca: fs.readFileSync(CA),
  cert: fs.readFileSync(CERTIFICATE),
  key: fs.readFileSync(KEY),
});

client.on("connect", async (connack) => {
  say("connected", connack.reasonCode ?? connack.returnCode, "receive_maximum", connack.properties?.receiveMaximum ?? "None");
  const granted = await client.subscribeAsync(`${down}#`, { qos: 1 });
  say("subscribed", ...granted.map((grant) => grant.qos));
  await client.publishAsync(`${up}hello`, HELLO, { qos: 1 });
});

client.on("message", async (topic, payload) => {
  const name = topic.slice(down.length);
  say(name, payload.toString());
  if (name === "desired") {
    const { generation } = JSON.parse(payload);
    await client.publishAsync(`${up}report`, REPORT.replace("GENERATION", generation), { qos: 1 });
  } else if (name === "ack" && JSON.parse(payload).kind?.endsWith("report")) {
    await client.endAsync();
    say("left", 0);
  }
});

client.on("error", (error) => {
  say("error", error.message);
  process.exit(1);
});
