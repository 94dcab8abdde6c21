// The two ends of WebSockets through Ballast, by the `ws` package, which most Node services use.
//
//   node peer.mjs serve NAME PORT       echoes messages, says who it is, closes as it is told
//   node peer.mjs call URL CA           talks to it in every way, and prints what it heard
//   node peer.mjs hold URL COUNT        holds COUNT connections open; an echo over each for every line on its input
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { WebSocket, WebSocketServer } from "ws";

const digest = (data) => createHash("sha256").update(data).digest("hex").slice(0, 12);
const event = (socket, name) => new Promise((resolve, reject) => {
  socket.once(name, (...values) => resolve(values));
  if (name !== "close") socket.once("close", (code) => reject(new Error(`closed with ${code} before ${name}`)));
  socket.once("error", reject);
});

function serve(name, port) {
  const server = new WebSocketServer({
    host: "127.0.0.1", port, perMessageDeflate: { threshold: 64 },
    handleProtocols: (offered) => offered.has("chat.v2") ? "chat.v2" : false,
  }, () => console.log("ready"));
  server.on("connection", (socket, request) => {
    socket.on("message", (data, isBinary) => {
      const text = isBinary ? "" : data.toString();
      if (text === "who") socket.send(`${name} ${request.headers["x-forwarded-for"]} ${request.headers["x-forwarded-proto"]}`);
      else if (text.startsWith("close ")) socket.close(Number(text.slice(6)), "as asked");
      else if (text === "cut") socket.terminate();
      else socket.send(data, { binary: isBinary });
    });
    socket.on("close", (code) => console.log(`closed ${code}`));
  });
}

async function open(url, options) {
  const socket = new WebSocket(url, options.protocols ?? [], options);
  await event(socket, "open");
  return socket;
}

async function ask(socket, data) {
  const answer = event(socket, "message");
  socket.send(data);
  return (await answer)[0];
}

async function call(url, ca) {
  const tls = ca ? { ca: readFileSync(ca) } : {};
  const socket = await open(url, { ...tls, protocols: ["chat.v1", "chat.v2"] });
  console.log(`protocol ${socket.protocol}, extensions ${socket.extensions.split(";")[0]}`);
  console.log((await ask(socket, "who")).toString().replace(/^\S+/, "NAME"));
  console.log((await ask(socket, "grüße")).toString());
  for (const size of [0, 125, 126, 65535, 65536, 5_000_000]) {
    const sent = Buffer.alloc(size, "0123456789abcdef");
    const heard = await ask(socket, sent);
    console.log(`${heard.length} bytes ${digest(heard) === digest(sent) ? "the same" : "DIFFERENT"}`);
  }
  const fragments = event(socket, "message");
  for (const [part, fin] of [["one ", false], ["two ", false], ["three", true]]) socket.send(part, { fin, compress: false });
  console.log((await fragments)[0].toString());
  const pong = event(socket, "pong");
  socket.ping("are you there");
  console.log(`pong ${(await pong)[0]}`);
  const closing = event(socket, "close");
  socket.send("close 4001");
  const [code, reason] = await closing;
  console.log(`closed ${code} ${reason}`);
  const cut = await open(url, tls);
  const gone = event(cut, "close");
  cut.send("cut");
  console.log(`cut ${(await gone)[0]}`);
}

async function hold(url, count) {
  const sockets = await Promise.all(Array.from({ length: count }, () => open(url, {})));
  console.log(`open ${sockets.length}`);
  for await (const line of createInterface({ input: process.stdin })) {
    const answers = await Promise.all(sockets.map((socket) => ask(socket, line)));
    console.log(`echoed ${answers.filter((answer) => answer.toString() === line).length}`);
  }
  for (const socket of sockets) socket.close(1000);
  await Promise.all(sockets.map((socket) => event(socket, "close")));
}

const [mode, ...words] = process.argv.slice(2);
if (mode === "serve") serve(words[0], Number(words[1]));
else if (mode === "call") await call(words[0], words[1]);
else await hold(words[0], Number(words[1]));
