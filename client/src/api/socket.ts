import type { ExecutionResult, SubscriptionForwarder } from "@urql/core";
import { createClient, type Sink } from "graphql-ws";
import { useSyncExternalStore } from "react";
import { session } from "./session";

export type SocketState = "idle" | "connecting" | "open" | "lost";

/** The gateway closes a socket with this code when the token it was opened with has ended. */
const TOKEN_ENDED = 4401;
const MAX_RETRY_WAIT_MS = 10_000;

let state: SocketState = "idle";
const listeners = new Set<() => void>();

function move(next: SocketState) {
  state = next;
  for (const listener of listeners) listener();
}

/** 0.5 s, 1 s, 2 s, ... 10 s, each with a little jitter so that clients do not come back in step. */
export function retryWaitMs(retries: number, random: number): number {
  return Math.min(MAX_RETRY_WAIT_MS, 500 * 2 ** retries) * (0.75 + random / 2);
}

const socket = createClient({
  url: () => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
  lazy: true,
  keepAlive: 15_000,
  connectionParams: async () => {
    const token = await session.freshToken();
    return token === null ? {} : { authorization: `Bearer ${token}` };
  },
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
  retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, retryWaitMs(retries, Math.random()))),
  on: {
    connecting: () => move(state === "lost" ? "lost" : "connecting"),
    connected: () => move("open"),
    closed: (event) => move(isClose(event) && event.code === 1000 ? "idle" : "lost"),
  },
});

let lastToken: string | null = null;

// A socket lives as long as its token. After a renewal it is opened again before the old one ends; graphql-ws
// then subscribes again to everything that was under way.
session.subscribe(() => {
  const token = session.currentToken();
  if (lastToken !== null && token !== lastToken && state === "open") socket.terminate();
  lastToken = token;
});

function isClose(event: unknown): event is CloseEvent {
  return typeof event === "object" && event !== null && "code" in event;
}

export const forwardSubscription: SubscriptionForwarder = (request) => ({
  subscribe(observer) {
    let ended = false;
    let stop = () => {};
    function start() {
      const sink: Sink<ExecutionResult> = {
        next: (value) => observer.next(value),
        complete: () => observer.complete(),
        error: (error) => {
          if (isClose(error) && error.code === TOKEN_ENDED && !ended) void resume();
          else observer.error(isClose(error) ? new Error(`Connection closed (${error.code})`) : error);
        },
      };
      stop = socket.subscribe({ ...request, query: request.query ?? "" }, sink);
    }
    async function resume() {
      await session.renew();
      if (!ended && session.currentToken() !== null) start();
      else observer.complete();
    }
    start();
    return {
      unsubscribe() {
        ended = true;
        stop();
      },
    };
  },
});

export function useSocketState(): SocketState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => state,
  );
}
