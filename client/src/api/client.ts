import { Client, fetchExchange, subscriptionExchange, type Exchange } from "@urql/core";
import { authExchange } from "@urql/exchange-auth";
import { cache } from "./cache";
import { session } from "./session";
import { forwardSubscription } from "./socket";

const auth: Exchange = authExchange((utilities) =>
  Promise.resolve({
    addAuthToOperation(operation) {
      const token = session.currentToken();
      return token === null ? operation : utilities.appendHeaders(operation, { authorization: `Bearer ${token}` });
    },
    willAuthError: () => session.needsRenewal(),
    didAuthError: (error) => error.graphQLErrors.some(({ extensions }) => extensions["code"] === "UNAUTHENTICATED"),
    refreshAuth: () => session.renew(),
  }),
);

/** A new client a session: nothing that one person saw is left for the next. */
export function createClient(): Client {
  return new Client({
    url: "/graphql",
    preferGetMethod: false,
    fetchOptions: { credentials: "same-origin" },
    exchanges: [cache(), auth, fetchExchange, subscriptionExchange({ forwardSubscription })],
  });
}
