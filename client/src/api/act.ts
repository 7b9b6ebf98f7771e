import { useState } from "react";
import type { Problem } from "./errors";

export type Act = {
  busy: boolean;
  problems: readonly Problem[];
  /** True when the work was done and nothing stands against it. */
  act: (work: () => Promise<{ problems: readonly Problem[] }>) => Promise<boolean>;
  clear: () => void;
};

/** Work that a person asked for: whether it is under way, and what stands against it. */
export function useAct(): Act {
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  return {
    busy,
    problems,
    async act(work) {
      setBusy(true);
      setProblems([]);
      const outcome = await work();
      setBusy(false);
      setProblems(outcome.problems);
      return outcome.problems.length === 0;
    },
    clear: () => setProblems([]),
  };
}
