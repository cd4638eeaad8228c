/** The challenger's share over time: what it was given, and what it got. */
import { clock, percent } from "../text/format";
import { t } from "../text/t";
import type { Look } from "../rollout/looks";
import type { Timeline } from "../rollout/timeline";
import { Grid, Lane, usePictures } from "./lane";
import { EDGE, linear, steps, type Point } from "./scale";

const HEIGHT = 76;

export function SharePicture({ timeline, drawn }: { timeline: Timeline; drawn: readonly { at: number; share: number }[]; looks: readonly Look[] }) {
  const { domain } = usePictures();
  const y = linear(0, 100, HEIGHT - 8, 8);
  const words = t().picture;
  const last = timeline.shares[timeline.shares.length - 1];
  const mirrored = timeline.shares.some((each) => each.mirror > 0);
  return (
    <Lane
      title={words.share}
      hint={words.share_hint}
      height={HEIGHT}
      summary={timeline.shares.map(({ at, share }) => `${clock(at)} ${percent(share)}`).join(", ")}
      legend={<><i class="key challenger" />{words.told}{drawn.length > 0 && <><i class="key dot" />{words.drawn}</>}{timeline.pauses.length > 0 && <><i class="key pause" />{words.paused}</>}</>}
      table={{
        columns: [
          { head: words.time, cell: (row) => clock(row.at, true) },
          { head: words.told, cell: (row) => (row.mirror ? `0 % + ${percent(row.mirror)}` : percent(row.share)), number: true },
          { head: t().services.rollout, cell: (row) => t().phase[row.phase] },
        ],
        rows: timeline.shares,
      }}
    >
      {(x, width) => {
        const end = x(timeline.end ?? domain.end);
        const points: Point[] = timeline.shares.map(({ at, share }) => ({ x: x(at), y: y(share) }));
        const path = steps(points, last && timeline.end !== null ? Math.max(end, x(last.at)) : width - EDGE);
        return (
          <>
            <Grid width={width} y={y} ticks={[0, 50, 100].map((value) => ({ value, label: percent(value) }))} />
            {path && <path class="fill challenger" d={`${path}V${y(0)}H${points[0]!.x.toFixed(1)}Z`} />}
            {path && <path class="stroke challenger" d={path} />}
            {mirrored && <path class="stroke dashed challenger" d={steps(timeline.shares.map(({ at, mirror }) => ({ x: x(at), y: y(mirror) })), width - EDGE)} />}
            {drawn.map((each) => <circle key={each.at} class="drawn" cx={x(each.at)} cy={y(each.share)} r={1.6} />)}
          </>
        );
      }}
    </Lane>
  );
}
