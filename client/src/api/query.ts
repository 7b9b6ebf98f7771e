import type { CombinedError } from "@urql/core";
import { useCallback } from "react";
import { problemOf, type Problem } from "./errors";

/** What a page needs to know of a question it asked: the answer, or why there is none yet. */
export type Answer<T> = {
  value: T | null;
  loading: boolean;
  problem: Problem | null;
  reload: () => void;
};

type Again = (options: { requestPolicy: "network-only" }) => void;

/** The state of a query, as an answer; `reload` stays the same function from render to render. */
export function useAnswer<Data, T>(
  [result, again]: readonly [{ data?: Data | null; error?: CombinedError; fetching: boolean }, Again],
  pick: (data: Data) => T | null | undefined,
): Answer<T> {
  const value = result.data ? (pick(result.data) ?? null) : null;
  const reload = useCallback(() => again({ requestPolicy: "network-only" }), [again]);
  return {
    value,
    loading: result.fetching && value === null,
    problem: result.error ? problemOf(result.error) : null,
    reload,
  };
}
