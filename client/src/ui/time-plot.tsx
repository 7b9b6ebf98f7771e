import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { formatDuration } from "./format";
import classes from "./time-plot.module.css";

const HEIGHT_PX = 190;
const MIN_SPAN_S = 5;
const AXIS_PX = 66;

export type Curve = {
  name: string;
  /** A custom property; read when the plot is made, so a new color scheme needs a new key. */
  color: string;
  /** Null is a gap. */
  values: readonly (number | null)[];
  format: (value: number) => string;
};

type TimePlotProps = { label: string; seconds: readonly number[]; left: Curve; right: Curve };

/** Two curves over one time, each with its own scale. */
export function TimePlot({ label, seconds, left, right }: TimePlotProps) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const curves = useRef({ left, right });
  useEffect(() => {
    curves.current = { left, right };
  });

  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const made = makePlot(element, curves.current.left, curves.current.right);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, []);

  useEffect(() => {
    plot.current?.setData([[...seconds], [...left.values], [...right.values]]);
  }, [seconds, left.values, right.values]);

  return (
    <figure className={classes.figure}>
      <div ref={holder} role="img" aria-label={label} style={{ height: HEIGHT_PX }} />
      <figcaption className={classes.legend}>
        {[left, right].map(({ name, color }) => (
          <span key={name}>
            <i style={{ background: `var(${color})` }} aria-hidden /> {name}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function makePlot(element: HTMLElement, left: Curve, right: Curve): uPlot {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: color("--k-dim"), font: `11px ${style.fontFamily}`, ticks: { show: false } };
  const grid = { stroke: color("--k-line"), width: 1 };
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { y: false, points: { size: 6 } },
      scales: {
        x: { time: false, range: (_plot, _min, max) => [0, Math.max(MIN_SPAN_S, max)] },
        left: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.08)] },
        // Another headroom, so that two curves of one shape do not lie on each other.
        right: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.4)] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 28, values: (_plot, ticks) => ticks.map((tick) => formatDuration(tick)) },
        { ...axis, grid, scale: "left", size: AXIS_PX, values: (_plot, ticks) => ticks.map(left.format) },
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot's enum exists in its types only
        { ...axis, grid: { show: false }, scale: "right", side: 1, size: AXIS_PX, values: (_plot, ticks) => ticks.map(right.format) },
      ],
      series: [
        {},
        { scale: "left", stroke: color(left.color), width: 2, fill: `${color(left.color)}22`, points: { show: false } },
        { scale: "right", stroke: color(right.color), width: 1.5, dash: [4, 4], points: { show: false } },
      ],
    },
    [[], [], []],
    element,
  );
}
