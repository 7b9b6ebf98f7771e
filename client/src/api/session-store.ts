/**
 * Who is signed in, and with which access token. Knows no network and no clock but the ones it is given.
 *
 * The access token lives only here, in memory. The refresh token is an HttpOnly cookie that no script can
 * read; `refresh` asks the service to trade it for a new pair.
 */
export type SessionUser = {
  id: string;
  email: string;
  displayName: string;
  role: "VIEWER" | "MEMBER" | "ADMIN";
};

export type Session = { user: SessionUser; accessToken: string; expiresAtMs: number };

export type SessionState =
  | { kind: "restoring" }
  | { kind: "unreachable" }
  | { kind: "signedOut"; expired: boolean }
  | { kind: "signedIn"; session: Session };

export type RefreshOutcome = { kind: "session"; session: Session } | { kind: "refused" } | { kind: "unreachable" };

export type SessionDependencies = {
  refresh: () => Promise<RefreshOutcome>;
  nowMs: () => number;
  /** Calls back once after a delay; the returned function withdraws it. */
  schedule: (callback: () => void, delayMs: number) => () => void;
};

export type SessionStore = ReturnType<typeof createSessionStore>;

/** A token this close to its end is renewed before it is used. */
export const RENEW_BEFORE_MS = 60_000;
/** After a refresh that could not reach the service. */
export const RETRY_REFRESH_MS = 5_000;

/** When to renew a token; `null` where its end lies in the past, because then the clocks disagree. */
export function renewAtMs(session: Session, receivedAtMs: number): number | null {
  const lifetimeMs = session.expiresAtMs - receivedAtMs;
  if (lifetimeMs <= 0) return null;
  return receivedAtMs + Math.max(lifetimeMs - RENEW_BEFORE_MS, lifetimeMs / 2);
}

export function createSessionStore({ refresh, nowMs, schedule }: SessionDependencies) {
  let state: SessionState = { kind: "restoring" };
  let renewAt: number | null = null;
  let withdraw = () => {};
  let inFlight: Promise<void> | null = null;
  const listeners = new Set<() => void>();

  function move(next: SessionState) {
    state = next;
    for (const listener of listeners) listener();
  }

  function adopt(session: Session) {
    withdraw();
    renewAt = renewAtMs(session, nowMs());
    if (renewAt !== null) withdraw = schedule(() => void renew(), renewAt - nowMs());
    move({ kind: "signedIn", session });
  }

  function clear(expired = false) {
    withdraw();
    renewAt = null;
    move({ kind: "signedOut", expired });
  }

  async function renewOnce() {
    const before = state;
    const outcome = await refresh();
    if (state !== before) return;
    switch (outcome.kind) {
      case "session":
        adopt(outcome.session);
        break;
      case "refused":
        clear(before.kind === "signedIn");
        break;
      case "unreachable":
        withdraw();
        withdraw = schedule(() => void renew(), RETRY_REFRESH_MS);
        if (before.kind !== "signedIn") move({ kind: "unreachable" });
        break;
    }
  }

  /** Trades the refresh cookie for a new access token; callers at the same time share one request. */
  function renew(): Promise<void> {
    inFlight ??= renewOnce().finally(() => {
      inFlight = null;
    });
    return inFlight;
  }

  return {
    getState: () => state,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    adopt,
    clear,
    renew,
    /** The token as it is; the caller knows it is fresh. */
    currentToken: () => (state.kind === "signedIn" ? state.session.accessToken : null),
    needsRenewal: () => state.kind === "signedIn" && renewAt !== null && nowMs() >= renewAt,
    /** The token, renewed first where it is about to end. */
    async freshToken(): Promise<string | null> {
      if (state.kind === "signedIn" && renewAt !== null && nowMs() >= renewAt) await renew();
      return state.kind === "signedIn" ? state.session.accessToken : null;
    },
  };
}
