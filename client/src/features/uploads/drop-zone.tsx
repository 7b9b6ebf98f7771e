import { Button, Text } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useRef, useState, type DragEvent } from "react";
import classes from "./drop-zone.module.css";
import { useUploads } from "./uploads-provider";

/** Where files are dropped, or chosen with the keyboard. */
export function DropZone() {
  const { store } = useUploads();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);

  function take(files: FileList | null) {
    if (files && files.length > 0) store.add([...files]);
  }

  function onDrop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  }

  return (
    <section
      aria-label="Upload files"
      className={classes.zone}
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <IconUpload size={22} stroke={1.6} aria-hidden className={classes.icon} />
      <div className={classes.words}>
        <Text fw={600}>Drop files here</Text>
        <Text size="sm" c="dimmed">
          CSV, NDJSON, Parquet or Arrow, of any size. An upload that breaks goes on where it stopped.
        </Text>
      </div>
      <Button variant="default" onClick={() => input.current?.click()}>
        Choose files
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to upload"
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
    </section>
  );
}
