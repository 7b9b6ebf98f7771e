import type { CombinedError } from "@urql/core";
import { useCallback, useState } from "react";
import { problemOf, type Problem } from "./errors";

/** What a page needs to know of a question it asked: the answer, or why there is none yet. */
export type Answer<T> = {
  value: T | null;
  loading: boolean;
  problem: Problem | null;
  reload: () => void;
};

type Again = (options: { requestPolicy: "network-only" }) => void;
type QueryState<Data> = {
  data?: Data | null;
  error?: CombinedError;
  fetching: boolean;
  operation?: { key: number };
};

/**
 * The state of a query, as an answer; `reload` stays the same function from render to render.
 * When the service cannot be reached, what it said last stays on the page, beside the problem.
 */
export function useAnswer<Data, T>(
  [result, again]: readonly [QueryState<Data>, Again],
  pick: (data: Data) => T | null | undefined,
): Answer<T> {
  const [last, remember] = useState<QueryState<Data>>({ fetching: false });
  if (result.data && result.data !== last.data) remember(result);
  const isSameQuestion = last.operation?.key === result.operation?.key;
  const data = result.data ?? (result.error?.networkError && isSameQuestion ? last.data : null);
  const value = data ? (pick(data) ?? null) : null;
  const reload = useCallback(() => again({ requestPolicy: "network-only" }), [again]);
  return {
    value,
    loading: result.fetching && value === null,
    problem: result.error ? problemOf(result.error) : null,
    reload,
  };
}
