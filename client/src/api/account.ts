import { useMemo } from "react";
import { useClient, useQuery } from "urql";
import { outcomeOf } from "./errors";
import {
  AccountDocument,
  ApiTokensDocument,
  ChangePasswordDocument,
  CreateApiTokenDocument,
  RevokeApiTokenDocument,
  type AccountQuery,
  type ChangePasswordInput,
  type CreateApiTokenInput,
  type TokenFieldsFragment,
} from "./generated/graphql";
import { useAnswer, type Answer } from "./query";

export type { TokenFieldsFragment as ApiToken, UsageFieldsFragment as Usage } from "./generated/graphql";

/** The beginning of this month where the reader is; the same text all month, so that it is asked for once. */
export function monthStart(now = new Date()): string {
  return new Date(now.getFullYear(), now.getMonth(), 1).toISOString();
}

export function useAccount(): Answer<AccountQuery> {
  const query = useQuery({
    query: AccountDocument,
    variables: { monthStart: monthStart() },
    requestPolicy: "cache-and-network",
  });
  return useAnswer(query, (data) => data);
}

export function useApiTokens(): Answer<readonly TokenFieldsFragment[]> {
  const query = useQuery({ query: ApiTokensDocument, requestPolicy: "cache-and-network" });
  return useAnswer(query, (data) => data.apiTokens);
}

export function useAccountActions() {
  const client = useClient();
  return useMemo(
    () => ({
      createToken: async (input: CreateApiTokenInput) =>
        outcomeOf(await client.mutation(CreateApiTokenDocument, { input }).toPromise(), (data) => data.createApiToken),
      revokeToken: async (apiTokenId: string) =>
        outcomeOf(
          await client.mutation(RevokeApiTokenDocument, { input: { apiTokenId } }).toPromise(),
          (data) => data.revokeApiToken,
        ),
      changePassword: async (input: ChangePasswordInput) =>
        outcomeOf(await client.mutation(ChangePasswordDocument, { input }).toPromise(), (data) => data.changePassword),
    }),
    [client],
  );
}
