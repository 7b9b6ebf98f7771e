import { Text } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { formatClock, formatCount, formatDateTime, plural } from "../../ui/format";
import { Panel } from "../../ui/panel";
import classes from "./events-panel.module.css";
import { useEventLog } from "./use-live-job";

const ROW_HEIGHT_PX = 34;

/** What happened, the newest on top. */
export function EventsPanel({ jobId }: { jobId: string }) {
  const { events, dropped } = useEventLog(jobId);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT_PX,
    getItemKey: (index) => events[events.length - 1 - index]?.seq ?? index,
    overscan: 8,
  });
  return (
    <Panel title="Events" flush note={events.length > 0 ? plural(events.length + dropped, "event") : undefined}>
      {events.length === 0 ? (
        <Text size="sm" c="dimmed" p="md">
          Nothing has happened yet.
        </Text>
      ) : (
        // A region that scrolls must be reachable with the keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div ref={scroller} className={classes.scroller} tabIndex={0} role="region" aria-label="Events, newest first">
          <ol className={classes.list} style={{ height: virtual.getTotalSize() }}>
            {virtual.getVirtualItems().map(({ index, key, start }) => {
              const event = events[events.length - 1 - index];
              return event === undefined ? null : (
                <li key={key} ref={virtual.measureElement} data-index={index} className={classes.row} style={{ transform: `translateY(${start}px)` }}>
                  <time dateTime={event.at} title={formatDateTime(event.at)} className={classes.time}>
                    {formatClock(event.at)}
                  </time>
                  <span>{event.message}</span>
                </li>
              );
            })}
          </ol>
        </div>
      )}
      {dropped > 0 ? (
        <Text size="xs" c="dimmed" p="xs">
          The {formatCount(dropped)} oldest are not shown.
        </Text>
      ) : null}
    </Panel>
  );
}
