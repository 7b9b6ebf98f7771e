import { useState, type ReactNode } from "react";
import { Provider } from "urql";
import { createClient } from "./client";

/** Gives everything below it one GraphQL client; a new key makes a new client with an empty cache. */
export function SessionClient({ children }: { children: ReactNode }) {
  const [client] = useState(createClient);
  return <Provider value={client}>{children}</Provider>;
}
