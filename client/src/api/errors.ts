import type { CombinedError } from "@urql/core";

/** One thing that went wrong, ready to be shown. */
export type Problem = {
  code: string;
  message: string;
  /** Path into the input, such as `["input", "sql"]`. */
  field: readonly string[] | null;
};

/** What a mutation came back with: its payload, and everything that stands against it. */
export type Outcome<T> = { payload: T | null; problems: readonly Problem[] };

type PayloadError = { code: string; message: string; field?: readonly string[] | null };

/** Turns a failed operation into one sentence for a person. */
export function problemOf(error: CombinedError): Problem {
  if (error.networkError) {
    return {
      code: "UNAVAILABLE",
      message: "The service cannot be reached. Check the connection; the page tries again by itself.",
      field: null,
    };
  }
  const first = error.graphQLErrors[0];
  const code = first?.extensions["code"];
  return {
    code: typeof code === "string" ? code : "INTERNAL",
    message: first?.message ?? "Something went wrong inside the service.",
    field: null,
  };
}

/** Joins the two places where a mutation reports trouble. */
export function outcomeOf<Data, Payload extends { errors: readonly PayloadError[] }>(
  result: { data?: Data; error?: CombinedError },
  pick: (data: Data) => Payload | null | undefined,
): Outcome<Payload> {
  if (result.error) return { payload: null, problems: [problemOf(result.error)] };
  const payload = result.data === undefined ? null : (pick(result.data) ?? null);
  if (payload === null) {
    return { payload: null, problems: [{ code: "INTERNAL", message: "The service sent an empty answer.", field: null }] };
  }
  return {
    payload,
    problems: payload.errors.map(({ code, message, field }) => ({ code, message, field: field ?? null })),
  };
}

/** The message that belongs to one field of a form, where the service names one. */
export function fieldProblem(problems: readonly Problem[], field: string): string | null {
  return problems.find((problem) => problem.field?.at(-1) === field)?.message ?? null;
}

/** The first problem that no field of the form shows. */
export function otherProblem(problems: readonly Problem[], fields: readonly string[]): Problem | null {
  return problems.find((problem) => !fields.includes(problem.field?.at(-1) ?? "")) ?? null;
}
