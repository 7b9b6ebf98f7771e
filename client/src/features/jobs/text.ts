/** What the pages of a job say, in one place. */
export const text = {
  actions: {
    pause: "Pause",
    pausing: "Pausing",
    resume: "Resume",
    cancel: "Cancel",
    retry: "Try again",
    clone: "Run again",
    edit: "Edit and run again",
    remove: "Delete",
    more: "More actions",
    refused: "That was not done",
  },
  cancel: {
    title: "Cancel this job?",
    says: "Its tasks are stopped within seconds, and no result is written. What is done is kept: “Try again” goes on from there.",
    keep: "Let it run",
    confirm: "Cancel the job",
  },
  remove: {
    title: "Delete this job?",
    says: "Its results, rejected rows and events are removed for good. The datasets that it read stay.",
    keep: "Keep it",
    confirm: "Delete the job",
  },
  paused: {
    title: "Paused",
    says: "Nothing runs for this job. What is done stays done; it goes on from there when you resume it.",
  },
  failed: { title: "The job failed" },
  canceled: {
    title: "The job was canceled",
    says: "No result was written. Shards that were done are kept: “Try again” does not read them again.",
  },
  shards: {
    loading: "Loading the shards",
    lost: "The shards could not be loaded; the page tries again.",
    point: "Point at a shard, or use the arrow keys, to see more of it.",
    attention: "Failed or tried again",
  },
} as const;
