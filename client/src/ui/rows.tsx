import { Button } from "@mantine/core";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useRef, useState, type ReactNode } from "react";
import classes from "./rows.module.css";

type RowsProps<Item> = {
  label: string;
  items: readonly Item[];
  itemKey: (item: Item) => string;
  rowHeight: number;
  render: (item: Item) => ReactNode;
  totalCount: number;
  hasMore: boolean;
  onMore: () => void;
};

/** A list that scrolls with the page and draws only what can be seen. */
export function Rows<Item>({ label, items, itemKey, rowHeight, render, totalCount, hasMore, onMore }: RowsProps<Item>) {
  const list = useRef<HTMLUListElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    if (list.current) setOffset(list.current.getBoundingClientRect().top + window.scrollY);
  }, [items.length]);
  const virtual = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => rowHeight,
    overscan: 10,
    scrollMargin: offset,
  });
  return (
    <>
      <ul ref={list} className={classes.list} aria-label={label} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const item = items[index];
          return item === undefined ? null : (
            <li
              key={itemKey(item)}
              className={classes.row}
              aria-setsize={totalCount}
              aria-posinset={index + 1}
              style={{ height: rowHeight, transform: `translateY(${start - offset}px)` }}
            >
              {render(item)}
            </li>
          );
        })}
      </ul>
      {hasMore ? (
        <div className={classes.more}>
          <Button variant="default" size="xs" onClick={onMore}>
            Show more
          </Button>
          <span>
            {items.length.toLocaleString("en")} of {totalCount.toLocaleString("en")} shown
          </span>
        </div>
      ) : null}
    </>
  );
}
