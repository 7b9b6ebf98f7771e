import { useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";
import { formatByteRate, formatShort } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { TimePlot, type Curve } from "../../ui/time-plot";
import { plotPoints, type Live } from "./live";

/** Bytes and rows a second over the time that the page was open. */
export function ThroughputPanel({ live: { samples, spacingMs } }: { live: Live }) {
  const scheme = useComputedColorScheme("light");
  const { seconds, left, right } = useMemo(() => {
    const points = plotPoints(samples, spacingMs);
    const bytes: Curve = {
      name: "Bytes/s",
      color: "--k-accent",
      values: points.map((point) => point.bytesPerSecond),
      format: formatByteRate,
    };
    const rows: Curve = {
      name: "Rows/s",
      color: "--k-run-fill",
      values: points.map((point) => point.rowsPerSecond),
      format: (value) => `${formatShort(value)}/s`,
    };
    return { seconds: points.map((point) => point.seconds), left: bytes, right: rows };
  }, [samples, spacingMs]);
  const now = samples.at(-1)?.bytesPerSecond ?? 0;
  return (
    <Panel title="Throughput">
      <TimePlot
        key={scheme}
        label={`Throughput over time; now ${formatByteRate(now)}`}
        seconds={seconds}
        left={left}
        right={right}
      />
    </Panel>
  );
}
