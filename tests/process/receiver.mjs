// A receiver as somebody would write one with the library of Standard Webhooks: `node receiver.mjs FOLDER SECRETFILE`.
// FOLDER holds node_modules. It answers 204 to a message that the secret in the file takes, else 401, and writes one line of JSON
// for each request; its first line is the port.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [folder, secretFile] = process.argv.slice(2);
const { Webhook } = createRequire(`${folder}/`)("standardwebhooks");

function judge(headers, body) {
  try {
    const message = new Webhook(readFileSync(secretFile, "utf8")).verify(body, headers);
    return { status: 204, event: message.event };
  } catch (error) {
    return { status: 401, reason: error.message };
  }
}

const server = createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces).toString("utf8");
  const verdict = judge(request.headers, body);
  console.log(JSON.stringify({ ...verdict, headers: request.headers, body }));
  response.writeHead(verdict.status).end();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
