import { useEffect, useMemo } from "react";
import { useClient, useQuery } from "urql";
import { monthStart } from "./account";
import { outcomeOf } from "./errors";
import {
  AuditLogDocument,
  ClusterDocument,
  CreatePasswordResetDocument,
  UpdateUserDocument,
  UsersDocument,
  UserUsageDocument,
  type AuditFieldsFragment,
  type AuditFilter,
  type ClusterQuery,
  type UpdateUserInput,
  type UserDetailsFragment,
  type UserUsageQuery,
} from "./generated/graphql";
import { PAGE_SIZE, pageOf, useCursor, type Page } from "./paging";
import { useAnswer, type Answer } from "./query";

export type {
  AuditFieldsFragment as AuditEntry,
  AuditFilter,
  Role,
  UpdateUserInput,
  UserDetailsFragment as UserDetails,
} from "./generated/graphql";

/** How often the nodes are asked for while they are looked at. */
const CLUSTER_POLL_MS = 3_000;

export function useUsers(): Answer<Page<UserDetailsFragment>> {
  const [after, advance] = useCursor("users");
  const query = useQuery({ query: UsersDocument, variables: { first: PAGE_SIZE, after }, requestPolicy: "cache-and-network" });
  return useAnswer(query, (data) => data.users && pageOf(data.users, advance));
}

export function useUserUsage(userId: string): Answer<UserUsageQuery> {
  const variables = { userId, monthStart: monthStart() };
  const query = useQuery({ query: UserUsageDocument, variables, requestPolicy: "cache-and-network" });
  return useAnswer(query, (data) => data);
}

/** The machines as they are now. */
export function useCluster(): Answer<ClusterQuery> {
  const query = useQuery({ query: ClusterDocument, requestPolicy: "cache-and-network" });
  const answer = useAnswer(query, (data) => data);
  const { reload } = answer;
  useEffect(() => {
    const timer = setInterval(reload, CLUSTER_POLL_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return answer;
}

export function useAuditLog(filter: AuditFilter): Answer<Page<AuditFieldsFragment>> {
  const [after, advance] = useCursor(JSON.stringify(filter));
  const query = useQuery({
    query: AuditLogDocument,
    variables: { first: PAGE_SIZE, after, filter },
    requestPolicy: "cache-and-network",
  });
  return useAnswer(query, (data) => data.auditLog && pageOf(data.auditLog, advance));
}

export function useAdminActions() {
  const client = useClient();
  return useMemo(
    () => ({
      updateUser: async (input: UpdateUserInput) =>
        outcomeOf(await client.mutation(UpdateUserDocument, { input }).toPromise(), (data) => data.updateUser),
      resetPassword: async (userId: string) =>
        outcomeOf(
          await client.mutation(CreatePasswordResetDocument, { input: { userId } }).toPromise(),
          (data) => data.createPasswordReset,
        ),
    }),
    [client],
  );
}
