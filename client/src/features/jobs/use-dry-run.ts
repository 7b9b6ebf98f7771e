import { useCallback, useEffect, useRef, useState } from "react";
import { useJobActions, type CreateJobInput } from "../../api/jobs";
import type { Problem } from "../../api/errors";

type Explain = ReturnType<typeof useJobActions>["explain"];
export type Plan = NonNullable<NonNullable<Awaited<ReturnType<Explain>>["payload"]>["plan"]>;

export type DryRun =
  | { kind: "idle" }
  | { kind: "asking"; plan: Plan | null }
  | { kind: "plan"; plan: Plan }
  | { kind: "refused"; problems: readonly Problem[] };

/** The typing rests this long before the service is asked. */
const REST_MS = 700;

/** Asks what a job would do, whenever what it would do may have changed; the latest question wins. */
export function useDryRun(input: CreateJobInput | null): { dryRun: DryRun; askNow: () => void } {
  const { explain } = useJobActions();
  const [dryRun, setDryRun] = useState<DryRun>({ kind: "idle" });
  const question = useRef(0);
  const asked = JSON.stringify(input);

  const ask = useCallback(async () => {
    question.current += 1;
    const mine = question.current;
    if (input === null) {
      setDryRun({ kind: "idle" });
      return;
    }
    setDryRun((before) => ({ kind: "asking", plan: before.kind === "plan" ? before.plan : null }));
    const { payload, problems } = await explain(input);
    if (mine !== question.current) return;
    setDryRun(payload?.plan ? { kind: "plan", plan: payload.plan } : { kind: "refused", problems });
    // `input` is a new object on every render; `asked` says whether it differs.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [asked, explain]);

  useEffect(() => {
    const timer = setTimeout(() => void ask(), REST_MS);
    return () => clearTimeout(timer);
  }, [ask]);

  return { dryRun, askNow: () => void ask() };
}
