import { Client, fetchExchange } from "@urql/core";
import { useSyncExternalStore } from "react";
import { outcomeOf, type Outcome } from "./errors";
import {
  LoginDocument,
  LogoutDocument,
  RefreshSessionDocument,
  RegisterDocument,
  ResetPasswordDocument,
  type LoginInput,
  type RegisterInput,
  type ResetPasswordInput,
  type ResetPasswordMutation,
  type SessionFieldsFragment,
} from "./generated/graphql";
import { createSessionStore, type RefreshOutcome, type Session, type SessionState } from "./session-store";

export type { SessionState, SessionUser } from "./session-store";

const LOCK = "karyaksham-session";
const CHANNEL = "karyaksham-session";

/** Session calls carry no bearer token, so they have a client of their own, with nothing in between. */
const plain = new Client({
  url: "/graphql",
  exchanges: [fetchExchange],
  preferGetMethod: false,
  fetchOptions: { credentials: "same-origin", headers: { "X-Karyaksham-Client": "browser" } },
});

function sessionOf(payload: SessionFieldsFragment): Session | null {
  if (payload.session === null) return null;
  const { user, accessToken, accessTokenExpiresAt } = payload.session;
  return { user, accessToken, expiresAtMs: Date.parse(accessTokenExpiresAt) };
}

/** A refresh token is good for one use, so tabs that share the cookie take turns. */
function takingTurns<T>(work: () => Promise<T>): Promise<T> {
  // Locks exist in secure contexts only; without them the worst case is a second sign-in.
  return "locks" in navigator ? navigator.locks.request(LOCK, work) : work();
}

async function refresh(): Promise<RefreshOutcome> {
  const result = await takingTurns(() => plain.mutation(RefreshSessionDocument, {}).toPromise());
  if (result.error?.networkError) return { kind: "unreachable" };
  const payload = result.data?.refreshSession;
  const session = payload ? sessionOf(payload) : null;
  if (session) return { kind: "session", session };
  const codes = payload ? payload.errors.map(({ code }) => code) : result.error?.graphQLErrors.map(({ extensions }) => extensions["code"]);
  return codes?.some((code) => code === "UNAUTHENTICATED" || code === "FORBIDDEN") ? { kind: "refused" } : { kind: "unreachable" };
}

export const session = createSessionStore({
  refresh,
  nowMs: () => Date.now(),
  schedule(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
});

const channel = new BroadcastChannel(CHANNEL);
channel.addEventListener("message", () => session.clear());

export function useSession(): SessionState {
  return useSyncExternalStore(session.subscribe, session.getState);
}

/** Brings the session of an earlier visit back. */
export function restoreSession(): Promise<void> {
  return session.renew();
}

export async function login(input: LoginInput): Promise<Outcome<SessionFieldsFragment>> {
  return adopting(outcomeOf(await plain.mutation(LoginDocument, { input }).toPromise(), (data) => data.login));
}

export async function register(input: RegisterInput): Promise<Outcome<SessionFieldsFragment>> {
  return adopting(outcomeOf(await plain.mutation(RegisterDocument, { input }).toPromise(), (data) => data.register));
}

/** Sets a password with the code that an administrator handed over; it signs nobody in. */
export async function resetPassword(input: ResetPasswordInput): Promise<Outcome<ResetPasswordMutation["resetPassword"]>> {
  return outcomeOf(await plain.mutation(ResetPasswordDocument, { input }).toPromise(), (data) => data.resetPassword);
}

function adopting(outcome: Outcome<SessionFieldsFragment>): Outcome<SessionFieldsFragment> {
  const adopted = outcome.payload ? sessionOf(outcome.payload) : null;
  if (adopted) session.adopt(adopted);
  return outcome;
}

/** Ends the session here and in the other tabs, even where the service cannot be told. */
export async function logout(): Promise<void> {
  const token = session.currentToken();
  const headers = { "X-Karyaksham-Client": "browser", ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  await plain.mutation(LogoutDocument, {}, { fetchOptions: { credentials: "same-origin", headers } }).toPromise();
  session.clear();
  channel.postMessage("signed out");
}
