// What other people's clients make of the service: one check a line, as JSON. tests/gateway/test_protocols.py runs it.
// usage: node e2e/protocols.js audits|websocket|events URL TOKEN JOB
import { setTimeout as after } from "node:timers/promises";
import { createClient as createSse } from "graphql-sse";
import { serverAudits } from "graphql-http";
import { CloseCode, createClient as createWs } from "graphql-ws";
import WebSocket from "ws";

const [purpose, url, token, jobId] = process.argv.slice(2);
const authorization = `Bearer ${token}`;
const address = `${url.replace("http", "ws")}/graphql`;
const EVENTS = "subscription ($id: ID!, $after: Int) { jobEvents(jobId: $id, after: $after) { seq kind } }";
const UPDATES = "subscription { jobUpdates { id } }";

function ws(options = {}) {
  return createWs({ url: address, webSocketImpl: WebSocket, connectionParams: { authorization }, retryAttempts: 0, ...options });
}

function sse(options = {}) {
  return createSse({ url: `${url}/graphql`, headers: { authorization }, retryAttempts: 0, ...options });
}

function equal(found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`found ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
  }
}

async function all(client, query, variables) {
  const found = [];
  for await (const result of client.iterate({ query, variables })) found.push(result);
  return found;
}

async function whenClosed(options) {
  const client = ws({ lazy: false, onNonLazyError: () => undefined, ...options });
  const event = await new Promise((resolve) => client.on("closed", resolve));
  return event.code;
}

/** What both clients do alike; `make` opens one. */
function common(make) {
  return {
    "a query is answered once and completes": async () => {
      equal(await all(make(), "{ me { email } }"), [{ data: { me: { email: "member@example.org" } } }]);
    },
    "a subscription ends after the last event": async () => {
      const seen = await all(make(), EVENTS, { id: jobId });
      const numbers = seen.map((result) => result.data.jobEvents.seq);
      equal(numbers, Array.from(numbers, (_, index) => index + 1));
      equal(seen.at(-1).data.jobEvents.kind, "SUCCEEDED");
    },
    "a cursor replays what came after it": async () => {
      const [first, second] = await all(make(), EVENTS, { id: jobId, after: 1 });
      equal([first.data.jobEvents.seq, second.data.jobEvents.seq], [2, 3]);
    },
    "an operation that is done with leaves the others alone": async () => {
      const client = make();
      const open = client.iterate({ query: UPDATES });
      const waiting = open.next();
      equal((await all(client, EVENTS, { id: jobId })).length > 2, true);
      await open.return();
      await waiting;
      await all(client, "{ version }");
      client.dispose();
    },
    "a job of nobody is an error with a code": async () => {
      const [result] = await all(make(), EVENTS, { id: "Sm9iOjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMA" }).catch((errors) => [{ errors }]);
      equal(result.errors[0].extensions.code, "NOT_FOUND");
    },
    "a wrong document is an error with a code": async () => {
      const [result] = await all(make(), "{ nothing }").catch((errors) => [{ errors }]);
      equal(result.errors[0].extensions.code, "BAD_USER_INPUT");
    },
  };
}

const checks = {
  audits: () =>
    Object.fromEntries(
      // Some ask for the schema, which is shown to those who are signed in.
      serverAudits({
        url: `${url}/graphql`,
        fetchFn: (input, init) => fetch(input, { ...init, headers: { ...init?.headers, authorization } }),
      }).map((audit) => [
        `${audit.id} ${audit.name}`,
        async () => {
          const result = await audit.fn();
          if (result.status !== "ok") throw new Error(`${result.status}: ${result.reason}`);
        },
      ]),
    ),
  websocket: () => ({
    ...common(ws),
    "pings are answered": async () => {
      let client;
      await new Promise((resolve) => {
        client = ws({ lazy: false, keepAlive: 50, on: { pong: (received) => received && resolve() } });
      });
      await client.dispose();
    },
    "without a token it closes with 4401": async () => {
      equal(await whenClosed({ connectionParams: {} }), CloseCode.Unauthorized);
    },
    "a token that is wrong closes with 4401": async () => {
      equal(await whenClosed({ connectionParams: { authorization: "Bearer x.y.z" } }), CloseCode.Unauthorized);
    },
    "a client that comes back goes on after its cursor": async () => {
      const client = ws({ retryAttempts: 3, shouldRetry: () => true });
      let socket;
      client.on("connected", (opened) => (socket = opened));
      const seen = [];
      let after = 0;
      for (let tries = 0; tries < 2; tries += 1) {
        for await (const result of client.iterate({ query: EVENTS, variables: { id: jobId, after } })) {
          after = result.data.jobEvents.seq;
          seen.push(after);
          if (tries === 0 && after === 2) break;
        }
        if (tries === 0) socket.close(4205, "a broken connection");
      }
      equal(seen, Array.from(seen, (_, index) => index + 1));
      equal(seen.length > 2, true);
      await client.dispose();
    },
  }),
  events: () => ({
    ...common(sse),
    "a stream without a token says so": async () => {
      const [result] = await all(sse({ headers: {} }), UPDATES);
      equal(result.errors[0].extensions.code, "UNAUTHENTICATED");
    },
    "mutations are no streams": async () => {
      const [result] = await all(sse(), 'mutation { logout(input: {}) { errors { message } } }');
      equal(result.errors[0].extensions.code, "BAD_USER_INPUT");
    },
    "who takes JSON as well gets JSON": async () => {
      const headers = { accept: "application/json, text/event-stream", "content-type": "application/json" };
      const answer = await fetch(`${url}/graphql`, { method: "POST", headers, body: '{"query": "{ version }"}' });
      equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
    },
    "what is no request is refused in JSON": async () => {
      const headers = { accept: "text/event-stream", "content-type": "application/json" };
      const answer = await fetch(`${url}/graphql`, { method: "POST", headers, body: "7" });
      equal([answer.status, answer.headers.get("content-type")], [400, "application/json"]);
    },
  }),
};

for (const [name, check] of Object.entries(checks[purpose]())) {
  let problem = null;
  const late = after(10_000, null, { ref: false }).then(() => {
    throw new Error("no answer in 10 s");
  });
  try {
    await Promise.race([check(), late]);
  } catch (error) {
    problem = String(error?.message ?? JSON.stringify(error));
  }
  console.log(JSON.stringify({ name, problem }));
}
process.exit(0);
