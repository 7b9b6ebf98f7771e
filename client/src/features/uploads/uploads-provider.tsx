import { createContext, use, useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import { newKey } from "../../api/key";
import { useUploadCalls } from "../../api/uploads";
import { createUploadMemory } from "./memory";
import { createUploadsStore, isMoving, type UploadItem, type UploadsStore } from "./uploads-store";

const UploadsContext = createContext<UploadsStore | null>(null);

export function UploadsProvider({ userId, children }: { userId: string; children: ReactNode }) {
  const calls = useUploadCalls();
  const [store] = useState(() =>
    createUploadsStore({ calls, memory: createUploadMemory(localStorage, userId), nowMs: () => Date.now(), newKey }),
  );

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (store.getItems().some(({ phase }) => isMoving(phase))) event.preventDefault();
    };
    window.addEventListener("beforeunload", warn);
    window.addEventListener("online", store.resumeFailed);
    return () => {
      window.removeEventListener("beforeunload", warn);
      window.removeEventListener("online", store.resumeFailed);
    };
  }, [store]);

  return <UploadsContext value={store}>{children}</UploadsContext>;
}

export function useUploads(): { items: readonly UploadItem[]; store: UploadsStore } {
  const store = use(UploadsContext);
  if (store === null) throw new Error("useUploads stands outside UploadsProvider");
  return { items: useSyncExternalStore(store.subscribe, store.getItems), store };
}
