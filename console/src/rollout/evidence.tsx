/** The newest look as a table, the mirror pairs, and what clients felt. */
import { coins, count, figure, rate, span } from "../text/format";
import { t } from "../text/t";
import { Table } from "../ui/basics";
import type { RolloutData } from "./data";
import type { Look, Metric } from "./looks";

export function EvidenceTable({ look, need, pace }: { look: Look | undefined; need: number; pace: number }) {
  const words = t().evidence;
  const metrics = look?.metrics ?? [];
  const of = (part: { x: number; n: number }) => (
    <>
      {words.of(count(part.x), count(part.n))} <small>{rate(part.x, part.n)}</small>
    </>
  );
  const bound = (value: number | null) => (value === null ? words.open : figure(value));
  return (
    <section class="card">
      <Table<Metric>
        caption={words.title}
        rows={metrics}
        keyOf={(row) => row.name}
        columns={[
          { head: words.metric, cell: (row) => t().metric[row.name] ?? row.name },
          { head: words.challenger, cell: (row) => of(row.challenger), number: true },
          { head: words.champion, cell: (row) => (row.champion ? of(row.champion) : "–"), number: true },
          {
            head: words.ratio,
            cell: (row) => (row.ratio === null ? "–" : <>{figure(row.ratio)} <small>{words.interval(bound(row.low), bound(row.high))}</small></>),
            number: true,
          },
          { head: `${words.coins}: ${words.worse}`, cell: (row) => coins(row.worse, need), number: true },
          { head: `${words.coins}: ${words.harmless}`, cell: (row) => coins(row.harmless, need), number: true },
          { head: words.needed, cell: (row) => neededOf(row, pace), number: true },
          { head: words.says, cell: (row) => <Says metric={row} need={need} /> },
        ]}
      />
    </section>
  );
}

function neededOf(row: Metric, pace: number): string {
  const words = t().evidence;
  if (!row.required) return row.name === "bad" ? words.none : words.watches;
  if (row.needed === 0) return words.enough;
  if (row.needed === null) return words.not_known;
  return words.needed_n(count(row.needed), pace > 0 ? span(row.needed / pace) : "");
}

function Says({ metric, need }: { metric: Metric; need: number }) {
  const words = t().evidence;
  if (metric.worse >= need) return <span class="badge bad">{words.is_worse}</span>;
  if (metric.harmless >= need) return <span class="badge good">{words.is_harmless}</span>;
  return <span class="badge">{words.undecided}</span>;
}

export function Pairs({ look }: { look: Look | undefined }) {
  const words = t().pairs;
  const changed = look?.metrics.find((each) => each.name === "changed");
  if (!changed || changed.challenger.n === 0) return null;
  const { x, n } = changed.challenger;
  const share = x / n;
  return (
    <section class="card pairs">
      <h2>{words.title}</h2>
      <p class="why">{words.hint}</p>
      <div class="two">
        <div><strong>{count(n - x)}</strong><span>{words.same}</span></div>
        <div class="other"><strong>{count(x)}</strong><span>{words.changed} · {rate(x, n)}</span></div>
      </div>
      <svg class="meter tall" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={`${words.changed}: ${rate(x, n)}`}>
        <rect width="100" height="8" />
        <rect class="part" width={100 * (1 - share)} height="8" />
      </svg>
    </section>
  );
}

export function Felt({ data, look }: { data: RolloutData; look: Look | undefined }) {
  const words = t().felt;
  const errors = look?.metrics.find((each) => each.name === "errors");
  const late = look?.metrics.find((each) => each.name === "late");
  const scored = data.rollout.plan?.stages[data.rollout.stage - 1]?.mirror;
  if (!errors || errors.challenger.n === 0 || scored) {
    return (
      <section class="card felt">
        <h2>{words.title}</h2>
        <p class="why">{words.none}</p>
      </section>
    );
  }
  const guarded = data.rollout.mode === "guarded";
  const all = errors.challenger.n + (errors.champion?.n ?? 0);
  return (
    <section class="card felt">
      <h2>{words.title}</h2>
      <dl>
        <div><dt>{data.rollout.eta?.units === "keys" ? words.keys : words.requests}</dt><dd>{count(errors.challenger.n)} <small>{rate(errors.challenger.n, all)}</small></dd></div>
        <div class={errors.challenger.x && !guarded ? "hot" : ""}>
          <dt>{guarded ? words.covered : words.failed}</dt>
          <dd>{count(errors.challenger.x)} <small>{rate(errors.challenger.x, errors.challenger.n)}</small></dd>
        </div>
        {late && <div><dt>{words.late}</dt><dd>{count(late.challenger.x)} <small>{rate(late.challenger.x, late.challenger.n)}</small></dd></div>}
      </dl>
      <p class="why">{guarded ? words.guarded : words.unprotected}</p>
    </section>
  );
}
