import { useState } from "react";

/** Rows a request; the service's limit. */
export const PAGE_SIZE = 50;

export type Page<Node> = {
  nodes: readonly Node[];
  totalCount: number;
  hasMore: boolean;
  loadMore: () => void;
};

type Connection<Node> = {
  edges: readonly { node: Node }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  totalCount: number;
};

/** The cursor of the page to ask for; it starts over when what is asked for changes. */
export function useCursor(question: string): [string | null, (cursor: string | null) => void] {
  const [held, hold] = useState<{ question: string; cursor: string | null }>({ question, cursor: null });
  const cursor = held.question === question ? held.cursor : null;
  return [cursor, (next) => hold({ question, cursor: next })];
}

export function pageOf<Node>(connection: Connection<Node>, advance: (cursor: string | null) => void): Page<Node> {
  return {
    nodes: connection.edges.map(({ node }) => node),
    totalCount: connection.totalCount,
    hasMore: connection.pageInfo.hasNextPage,
    loadMore: () => advance(connection.pageInfo.endCursor),
  };
}
