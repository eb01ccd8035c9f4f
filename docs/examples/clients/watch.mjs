// Every fact of a campaign, by the NATS project's own packages: `node watch.mjs reader.json NAME`.
// With a third word, ws://127.0.0.1:PORT, it listens as a browser does (`myriad run NAME --websocket PORT`).
import { readFileSync } from "node:fs";
import { AckPolicy, DeliverPolicy, jetstreamManager } from "@nats-io/jetstream";
import { nuid, wsconnect } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";

const [credential, campaign, address, until] = process.argv.slice(2);
const told = JSON.parse(readFileSync(credential, "utf8"));
const servers = address || told.url;
if (servers.startsWith("ws") && !globalThis.WebSocket) globalThis.WebSocket = (await import("ws")).WebSocket; // before Node 22
const open = servers.startsWith("ws") ? wsconnect : connect;
const server = await open({ servers, user: told.user, pass: told.password });

// Observers ask JetStream in a domain of their own, and pull: a server cannot push into their account.
const manager = await jetstreamManager(server, { domain: told.domain, checkAPI: false });
const stream = `myriad-${campaign}`;
const name = nuid.next();
await manager.consumers.add(stream, {
  name,
  ack_policy: AckPolicy.None,
  deliver_policy: DeliverPolicy.All,
  filter_subject: `myriad.${campaign}.>`,
  inactive_threshold: 60e9,
  mem_storage: true,
});
const frames = await manager.jetstream().consumers.get(stream, name);
for await (const message of await frames.consume({ max_messages: 100 })) {
  message.json().forEach((fact, index) => console.log(`${message.seq}.${index} ${message.subject} ${fact.type}`));
  if (message.seq >= Number(until ?? Infinity)) break;
}
await server.close();
