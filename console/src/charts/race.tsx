/**
 * The race to a decision: two bets that each begin with one coin, on one axis. Upwards the bet that
 * the challenger is harmless, downwards the bet that it is worse. Twenty coins (1/alpha) end it.
 */
import { coins, clock, figure } from "../text/format";
import { t } from "../text/t";
import type { Look } from "../rollout/looks";
import { Lane, usePictures } from "./lane";
import { area, EDGE, GUTTER, line, logarithmic, thinned } from "./scale";

const HEIGHT = 148;
const ZONE = 20;

export interface Forecast {
  at: number;
  way: "harmless" | "worse";
}

export function RacePicture({ looks, need, forecast }: { looks: readonly Look[]; need: number; forecast: Forecast | null }) {
  const { cursor, domain } = usePictures();
  const words = t().picture;
  const middle = HEIGHT / 2;
  const up = logarithmic(1, need, middle, ZONE);
  const down = logarithmic(1, need, middle, HEIGHT - ZONE);
  const last = looks[looks.length - 1];
  const ticks = [1, 2, 5, 10, need].filter((each, index, all) => each <= need && all.indexOf(each) === index);
  const coin = (value: number) => Math.max(1, value);
  return (
    <Lane
      title={words.race}
      hint={words.race_hint(figure(need))}
      height={HEIGHT}
      summary={last ? `${words.harmless} ${words.coins(coins(last.harmless, need))}, ${words.worse} ${words.coins(coins(last.worse, need))}` : words.empty}
      legend={<><i class="key good" />{words.harmless}<i class="key bad" />{words.worse}{forecast && <><i class="key forecast" />{words.forecast}</>}</>}
      table={{
        columns: [
          { head: words.time, cell: (row) => clock(row.at, true) },
          { head: words.harmless, cell: (row) => coins(row.harmless, need), number: true },
          { head: words.worse, cell: (row) => coins(row.worse, need), number: true },
        ],
        rows: looks,
      }}
    >
      {(x, width) => {
        const shown = thinned(looks, width);
        const over = shown.map((each) => ({ x: x(each.at), y: up(coin(each.harmless)) }));
        const under = shown.map((each) => ({ x: x(each.at), y: down(coin(each.worse)) }));
        const ground = shown.map((each) => ({ x: x(each.at), y: middle }));
        const right = width - EDGE;
        const tip = forecast && last ? { x: Math.min(x(forecast.at), right), from: forecast.way === "harmless" ? up(coin(last.harmless)) : down(coin(last.worse)), to: forecast.way === "harmless" ? ZONE : HEIGHT - ZONE } : null;
        return (
          <>
            <rect class="zone good" x={GUTTER} y={0} width={right - GUTTER} height={ZONE} />
            <rect class="zone bad" x={GUTTER} y={HEIGHT - ZONE} width={right - GUTTER} height={ZONE} />
            <g class="grid">
              {ticks.map((each) => (
                <g key={each}>
                  <line x1={GUTTER} x2={right} y1={up(each)} y2={up(each)} />
                  {each !== 1 && <line x1={GUTTER} x2={right} y1={down(each)} y2={down(each)} />}
                  {(each === 1 || each === 5 || each === need) && (
                    <>
                      <text x={GUTTER - 7} y={up(each) + 3.5} text-anchor="end">{figure(each)}</text>
                      {each !== 1 && <text x={GUTTER - 7} y={down(each) + 3.5} text-anchor="end">{figure(each)}</text>}
                    </>
                  )}
                </g>
              ))}
            </g>
            <path class="fill good" d={area(over, ground)} />
            <path class="fill bad" d={area(under, ground)} />
            <path class="stroke good" d={line(over)} />
            <path class="stroke bad" d={line(under)} />
            {tip && last && (
              <line class="forecast" x1={x(last.at)} y1={tip.from} x2={tip.x} y2={tip.to} />
            )}
            <text class="zone-label good" x={GUTTER + 6} y={14}>▲ {words.may_go_on} · {words.coins(figure(need))}</text>
            <text class="zone-label bad" x={GUTTER + 6} y={HEIGHT - 6}>▼ {words.goes_back} · {words.coins(figure(need))}</text>
            {last && cursor.value === null && x(last.at) <= right && domain.end > 0 && (
              <>
                <circle class="tip good" cx={x(last.at)} cy={up(coin(last.harmless))} r={3.5} />
                <circle class="tip bad" cx={x(last.at)} cy={down(coin(last.worse))} r={3.5} />
              </>
            )}
          </>
        );
      }}
    </Lane>
  );
}
