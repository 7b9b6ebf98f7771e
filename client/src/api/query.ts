import type { CombinedError } from "@urql/core";
import { problemOf, type Problem } from "./errors";

/** What a page needs to know of a question it asked: the answer, or why there is none yet. */
export type Answer<T> = {
  value: T | null;
  loading: boolean;
  problem: Problem | null;
  reload: () => void;
};

export function answerOf<Data, T>(
  result: { data?: Data | null; error?: CombinedError; fetching: boolean },
  pick: (data: Data) => T | null | undefined,
  again: (options: { requestPolicy: "network-only" }) => void,
): Answer<T> {
  const value = result.data ? (pick(result.data) ?? null) : null;
  return {
    value,
    loading: result.fetching && value === null,
    problem: result.error ? problemOf(result.error) : null,
    reload: () => again({ requestPolicy: "network-only" }),
  };
}
