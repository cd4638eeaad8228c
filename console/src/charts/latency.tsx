/** Median and 99th percentile of both versions. */
import type { Schemas } from "../api/client";
import { clock, figure } from "../text/format";
import { t } from "../text/t";
import { Grid, Lane } from "./lane";
import { linear, line, niceTop, type Point, type Scale } from "./scale";

const HEIGHT = 84;

interface Row {
  at: number;
  values: (number | null)[];
}

export function LatencyPicture({ figures, champion, challenger }: { figures: Schemas["Figures"]; champion: string | null; challenger: string | null }) {
  const words = t().picture;
  const start = Date.parse(figures.start);
  const series = [champion, challenger].map((version) => (version ? figures.versions[version] : undefined));
  const values = series.map((each) => [each?.latency_p50 ?? [], each?.latency_p99 ?? []] as const);
  const every = values.flat(2).filter((each): each is number => typeof each === "number");
  const top = niceTop(Math.max(1, ...every));
  const y = linear(0, top, HEIGHT - 8, 8);
  const at = (index: number) => start + index * figures.period_seconds * 1000;
  const rows: Row[] = Array.from({ length: figures.count }, (_, index) => ({
    at: at(index),
    values: values.flatMap((pair) => pair.map((list) => list[index] ?? null)),
  })).filter((row) => row.values.some((each) => each !== null));
  const last = rows[rows.length - 1];
  return (
    <Lane
      title={words.latency}
      hint={words.latency_hint}
      height={HEIGHT}
      summary={last ? last.values.map((each) => (each === null ? "–" : figure(each))).join(", ") : words.empty}
      legend={<><i class="key champion" />{words.champion}<i class="key challenger" />{words.challenger} · p50, <i class="key dashed" />p99</>}
      table={{
        columns: [
          { head: words.time, cell: (row) => clock(row.at, true) },
          ...[`${words.champion} p50`, `${words.champion} p99`, `${words.challenger} p50`, `${words.challenger} p99`].map((head, index) => ({
            head,
            cell: (row: Row) => (row.values[index] == null ? "–" : figure(row.values[index]!)),
            number: true,
          })),
        ],
        rows,
      }}
    >
      {(x, width) => (
        <>
          <Grid width={width} y={y} ticks={[0, top / 2, top].map((value) => ({ value, label: figure(value) }))} />
          {values.map(([p50, p99], index) => {
            const kind = index ? "challenger" : "champion";
            return (
              <g key={kind}>
                {pathsOf(p99, at, x, y).map((d) => <path key={d} class={`stroke thin dashed ${kind}`} d={d} />)}
                {pathsOf(p50, at, x, y).map((d) => <path key={d} class={`stroke ${kind}`} d={d} />)}
              </g>
            );
          })}
        </>
      )}
    </Lane>
  );
}

/** A line for each run of values without a gap. */
export function pathsOf(values: readonly (number | null)[], at: (index: number) => number, x: Scale, y: Scale): string[] {
  const paths: string[] = [];
  let points: Point[] = [];
  const end = () => {
    if (points.length === 1) points.push({ x: points[0]!.x + 1, y: points[0]!.y });
    if (points.length) paths.push(line(points));
    points = [];
  };
  values.forEach((value, index) => {
    if (value === null) end();
    else points.push({ x: x(at(index)), y: y(value) });
  });
  end();
  return paths;
}
