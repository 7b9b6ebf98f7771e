import { useComputedColorScheme } from "@mantine/core";
import { formatByteRate, formatShort } from "../../ui/format";
import { Panel } from "../../ui/panel";
import { TimePlot } from "../../ui/time-plot";
import type { Sample } from "./live";

/** Bytes and rows a second over the time that the page was open. */
export function ThroughputPanel({ samples }: { samples: readonly Sample[] }) {
  const scheme = useComputedColorScheme("light");
  const start = samples[0]?.atMs ?? 0;
  const seconds = samples.map(({ atMs }) => (atMs - start) / 1000);
  const last = samples.at(-1);
  return (
    <Panel title="Throughput">
      <TimePlot
        key={scheme}
        label={`Throughput over time; now ${formatByteRate(last?.bytesPerSecond ?? 0)}`}
        seconds={seconds}
        left={{ name: "Bytes/s", color: "--k-accent", values: samples.map((sample) => sample.bytesPerSecond), format: formatByteRate }}
        right={{
          name: "Rows/s",
          color: "--k-run-fill",
          values: samples.map((sample) => sample.rowsPerSecond),
          format: (value) => `${formatShort(value)}/s`,
        }}
      />
    </Panel>
  );
}
