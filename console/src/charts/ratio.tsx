/** The odds ratio of one metric with its always-valid band, and the margins that decide. */
import { clock, figure } from "../text/format";
import { t } from "../text/t";
import type { Look } from "../rollout/looks";
import { Grid, Lane } from "./lane";
import { area, EDGE, GUTTER, line, logarithmic, thinned } from "./scale";

const HEIGHT = 110;
const LOW = 0.2;
const HIGH = 10;

export interface RatioRow {
  at: number;
  ratio: number | null;
  low: number | null;
  high: number | null;
}

export function RatioPicture({ looks, metric, worse, safe, children }: { looks: readonly Look[]; metric: string; worse: number; safe: number; children?: preact.ComponentChildren }) {
  const words = t().picture;
  const rows: RatioRow[] = looks.flatMap((look) => {
    const each = look.metrics.find(({ name }) => name === metric);
    return each ? [{ at: look.at, ratio: each.ratio, low: each.low, high: each.high }] : [];
  });
  const last = rows[rows.length - 1];
  const y = logarithmic(LOW, HIGH, HEIGHT - 8, 8);
  const shown = (value: number | null) => (value === null ? t().evidence.open : figure(value));
  return (
    <Lane
      title={words.ratio_metric(t().metric[metric] ?? metric)}
      hint={words.ratio_hint}
      height={HEIGHT}
      legend={children}
      summary={last ? `${shown(last.ratio)} (${shown(last.low)} – ${shown(last.high)})` : words.empty}
      table={{
        columns: [
          { head: words.time, cell: (row) => clock(row.at, true) },
          { head: words.estimate, cell: (row) => shown(row.ratio), number: true },
          { head: words.low, cell: (row) => shown(row.low), number: true },
          { head: words.high, cell: (row) => shown(row.high), number: true },
        ],
        rows,
      }}
    >
      {(x, width) => {
        const thin = thinned(rows, width);
        const upper = thin.map((each) => ({ x: x(each.at), y: y(each.high ?? HIGH) }));
        const lower = thin.map((each) => ({ x: x(each.at), y: y(each.low ?? LOW) }));
        const middle = thin.filter((each) => each.ratio !== null).map((each) => ({ x: x(each.at), y: y(each.ratio!) }));
        const right = width - EDGE;
        return (
          <>
            <Grid width={width} y={y} ticks={[0.5, 1, 2, 5].map((value) => ({ value, label: words.times(figure(value)) }))} />
            <path class="band" d={area(upper, lower)} />
            <line class="margin safe" x1={GUTTER} x2={right} y1={y(safe)} y2={y(safe)} />
            <line class="margin limit" x1={GUTTER} x2={right} y1={y(worse)} y2={y(worse)} />
            <path class="stroke ratio" d={line(middle)} />
            <text class="margin-label" x={right - 4} y={y(Math.max(safe, worse)) - 4} text-anchor="end">
              {safe > worse ? `${words.safe} ${words.times(figure(safe))}` : `${words.limit} ${words.times(figure(worse))}`}
            </text>
            <text class="margin-label" x={right - 4} y={y(Math.min(safe, worse)) + 12} text-anchor="end">
              {safe > worse ? `${words.limit} ${words.times(figure(worse))}` : `${words.safe} ${words.times(figure(safe))}`}
            </text>
          </>
        );
      }}
    </Lane>
  );
}
