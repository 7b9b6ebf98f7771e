import type { JobState } from "../../api/jobs";
import { lookOf } from "./job-state";
import classes from "./state-badge.module.css";

export function StateBadge({ state }: { state: JobState }) {
  const { label, tone } = lookOf(state);
  return (
    <span className={classes.badge} data-tone={tone}>
      <span className={classes.dot} aria-hidden />
      {label}
    </span>
  );
}
