/** What this browser remembers of unfinished uploads, so that a file that is chosen again goes on where it stopped. */
export type Remembered = {
  fingerprint: string;
  uploadId: string;
  filename: string;
  sizeBytes: number;
  parts: { partNumber: number; etag: string }[];
};

export type UploadMemory = ReturnType<typeof createUploadMemory>;

const MAX_REMEMBERED = 50;

/** The same file again, as far as a browser can tell without reading it. */
export function fingerprintOf(file: { name: string; size: number; lastModified: number }): string {
  return `${file.name}|${file.size}|${file.lastModified}`;
}

function isRemembered(value: unknown): value is Remembered {
  return (
    typeof value === "object" &&
    value !== null &&
    "fingerprint" in value &&
    typeof value.fingerprint === "string" &&
    "uploadId" in value &&
    typeof value.uploadId === "string" &&
    "filename" in value &&
    typeof value.filename === "string" &&
    "sizeBytes" in value &&
    typeof value.sizeBytes === "number" &&
    "parts" in value &&
    Array.isArray(value.parts)
  );
}

export function createUploadMemory(storage: Pick<Storage, "getItem" | "setItem">, userId: string) {
  const key = `karyaksham.uploads.${userId}`;

  function all(): Remembered[] {
    try {
      const value: unknown = JSON.parse(storage.getItem(key) ?? "[]");
      return Array.isArray(value) ? value.filter(isRemembered) : [];
    } catch {
      return [];
    }
  }

  function write(entries: Remembered[]) {
    try {
      storage.setItem(key, JSON.stringify(entries.slice(-MAX_REMEMBERED)));
    } catch {
      // A full or forbidden store costs only the memory of this upload.
    }
  }

  return {
    all,
    find: (fingerprint: string) => all().find((entry) => entry.fingerprint === fingerprint) ?? null,
    keep(entry: Remembered) {
      write([...all().filter(({ fingerprint }) => fingerprint !== entry.fingerprint), entry]);
    },
    forget(fingerprint: string) {
      write(all().filter((entry) => entry.fingerprint !== fingerprint));
    },
  };
}
