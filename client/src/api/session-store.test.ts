import { expect, test } from "vitest";
import { createSessionStore, RENEW_BEFORE_MS, renewAtMs, RETRY_REFRESH_MS, type RefreshOutcome, type Session } from "./session-store";

const MINUTE = 60_000;

function signedIn(accessToken: string, expiresAtMs: number): Session {
  return { user: { id: "u", email: "a@b", displayName: "A", role: "MEMBER" }, accessToken, expiresAtMs };
}

/** A clock that stands still until it is moved, and a service that answers when it is told. */
function world() {
  const timers: { callback: () => void; atMs: number }[] = [];
  const asked: ((outcome: RefreshOutcome) => void)[] = [];
  const clock = { nowMs: 0 };
  const store = createSessionStore({
    refresh: () => new Promise((resolve) => asked.push(resolve)),
    nowMs: () => clock.nowMs,
    schedule(callback, delayMs) {
      const timer = { callback, atMs: clock.nowMs + delayMs };
      timers.push(timer);
      return () => {
        if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
      };
    },
  });
  return { store, timers, asked, clock };
}

test("a page without a session ends up signed out, without a word of an end", async () => {
  const { store, asked } = world();
  const restored = store.renew();
  asked[0]?.({ kind: "refused" });
  await restored;
  expect(store.getState()).toEqual({ kind: "signedOut", expired: false });
});

test("a session is restored from its cookie and renewed before it ends", async () => {
  const { store, asked, timers } = world();
  const restored = store.renew();
  asked[0]?.({ kind: "session", session: signedIn("one", 15 * MINUTE) });
  await restored;
  expect(store.currentToken()).toBe("one");
  expect(timers.map(({ atMs }) => atMs)).toEqual([15 * MINUTE - RENEW_BEFORE_MS]);
  timers[0]?.callback();
  expect(asked).toHaveLength(2);
});

test("callers at the same time share one refresh", async () => {
  const { store, asked, clock } = world();
  store.adopt(signedIn("one", 15 * MINUTE));
  clock.nowMs = 14.5 * MINUTE;
  const tokens = Promise.all([store.freshToken(), store.freshToken(), store.freshToken()]);
  expect(asked).toHaveLength(1);
  asked[0]?.({ kind: "session", session: signedIn("two", 30 * MINUTE) });
  expect(await tokens).toEqual(["two", "two", "two"]);
});

test("a refused refresh ends the session and says so", async () => {
  const { store, asked, timers } = world();
  store.adopt(signedIn("one", 15 * MINUTE));
  const renewed = store.renew();
  asked[0]?.({ kind: "refused" });
  await renewed;
  expect(store.getState()).toEqual({ kind: "signedOut", expired: true });
  expect(store.currentToken()).toBeNull();
  expect(timers).toHaveLength(0);
});

test("a service that cannot be reached does not sign anyone out, and is asked again", async () => {
  const { store, asked, timers } = world();
  store.adopt(signedIn("one", 15 * MINUTE));
  const renewed = store.renew();
  asked[0]?.({ kind: "unreachable" });
  await renewed;
  expect(store.currentToken()).toBe("one");
  expect(timers.map(({ atMs }) => atMs)).toEqual([RETRY_REFRESH_MS]);
});

test("an answer that comes after the sign-out does not sign in again", async () => {
  const { store, asked } = world();
  store.adopt(signedIn("one", 15 * MINUTE));
  const renewed = store.renew();
  store.clear();
  asked[0]?.({ kind: "session", session: signedIn("two", 30 * MINUTE) });
  await renewed;
  expect(store.getState().kind).toBe("signedOut");
});

test("a clock that runs ahead does not make every request refresh first", async () => {
  const { store, asked, clock } = world();
  clock.nowMs = 60 * MINUTE;
  store.adopt(signedIn("one", 15 * MINUTE));
  expect(await store.freshToken()).toBe("one");
  expect(asked).toHaveLength(0);
  expect(renewAtMs(signedIn("one", 15 * MINUTE), 60 * MINUTE)).toBeNull();
});

test("a short token is renewed halfway", () => {
  expect(renewAtMs(signedIn("one", MINUTE), 0)).toBe(MINUTE / 2);
});
