// Makes the calls that standard input lists, one after another, with clients of the AWS SDK, and
// prints for each what came: {"output": …} or {"error": {name, message, status}}.
// A call is {"service": "s3", "command": "PutObject", "input": {…}}. Where AWS is, and as whom, is
// told by the environment, as it would be to any program.

import { text } from "node:stream/consumers";

const clients = {};

async function clientOf(service) {
  if (!clients[service]) {
    const library = await import(`@aws-sdk/client-${service}`);
    const name = Object.keys(library).find((key) => key.endsWith("Client") && key !== "Client");
    clients[service] = { library, client: new library[name]({ maxAttempts: 1 }) };
  }
  return clients[service];
}

async function made({ service, command, input }) {
  const { library, client } = await clientOf(service);
  try {
    const output = await client.send(new library[`${command}Command`](input));
    if (output.Body) output.Body = await output.Body.transformToString();
    delete output.$metadata;
    return { output };
  } catch (error) {
    const { name, message } = error;
    return { error: { name, message, status: error.$metadata?.httpStatusCode ?? null } };
  }
}

const results = [];
for (const call of JSON.parse(await text(process.stdin))) results.push(await made(call));
console.log(JSON.stringify(results));
