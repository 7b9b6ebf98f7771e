/** Words that many pages share. */
export const common = {
  copy: "Copy",
  copied: "Copied",
  copyOf: (label: string) => `Copy: ${label}`,
  save: "Save",
  cancel: "Cancel",
  close: "Close",
  done: "Done",
  never: "never",
  failed: "That did not work",
  showPassword: "Show the password",
  more: "Show more",
  shown: (shown: string, total: string) => `${shown} of ${total} shown`,
} as const;
