// A device made of MQTT.js: tells its status twice, says hello, waits for its desired state, reports, leaves. Prints what it sees, one line
// each. With MQTT 5 the second status has an alias in place of its topic, and the report is a part of a trace.
const fs = require("node:fs");
const mqtt = require("mqtt");

const { SERIAL, PORT, VERSION, CA, CERTIFICATE, KEY, HELLO, STATUS, REPORT, TRACE } = process.env;
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
  autoAssignTopicAlias: VERSION === "5",
  ca: fs.readFileSync(CA),
  cert: fs.readFileSync(CERTIFICATE),
  key: fs.readFileSync(KEY),
});

client.on("connect", async (connack) => {
  const { receiveMaximum = "None", topicAliasMaximum = "None" } = connack.properties ?? {};
  say("connected", connack.reasonCode ?? connack.returnCode, "receive_maximum", receiveMaximum, "topic_alias_maximum", topicAliasMaximum);
  const granted = await client.subscribeAsync(`${down}#`, { qos: 1 });
  say("subscribed", ...granted.map((grant) => grant.qos));
  await client.publishAsync(`${up}status`, STATUS, { qos: 1 });
  await client.publishAsync(`${up}status`, STATUS, { qos: 1 });
  await client.publishAsync(`${up}hello`, HELLO, { qos: 1 });
});

client.on("message", async (topic, payload) => {
  const name = topic.slice(down.length);
  say(name, payload.toString());
  if (name === "desired") {
    const { generation } = JSON.parse(payload);
    const properties = VERSION === "5" ? { userProperties: { traceparent: TRACE } } : undefined;
    await client.publishAsync(`${up}report`, REPORT.replace("GENERATION", generation), { qos: 1, properties });
  } else if (name === "ack" && JSON.parse(payload).kind?.endsWith("report")) {
    await client.endAsync();
    say("left", 0);
  }
});

client.on("error", (error) => {
  say("error", error.message);
  process.exit(1);
});
