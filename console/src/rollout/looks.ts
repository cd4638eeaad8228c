/** The evidence as numbers: one look after another, and each metric at the newest. */
import type { Schemas } from "../api/client";

export interface Metric {
  name: string;
  challenger: { x: number; n: number };
  champion: { x: number; n: number } | null;
  worse: number;
  harmless: number;
  ratio: number | null;
  low: number | null;
  high: number | null;
  needed: number | null;
  /** Whether it must be proven harmless before a step may end. */
  required: boolean;
}

export interface Look {
  at: number;
  share: number;
  /** Coins of the bet that it is worse in any metric. */
  worse: number;
  /** Coins of the bet on "harmless" of the metric that is furthest from it. */
  harmless: number;
  metrics: readonly Metric[];
  requests: number;
  least: number;
}

const REQUIRED = ["errors", "late", "bad", "changed"];
export const ORDER = [...REQUIRED, "over_0", "over_1", "over_2"];

type Numbers = Record<string, unknown>;
const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** The metrics in a verdict's numbers, in the order of the table. */
export function metricsOf(numbers: Numbers): Metric[] {
  const metrics: Metric[] = [];
  for (const name of ORDER) {
    const each = numbers[name] as Numbers | undefined;
    if (typeof each !== "object" || each === null) continue;
    const interval = (each["odds_ratio_interval"] as (number | null)[] | undefined) ?? [null, null];
    const of = number(each["champion_of"]);
    const judged = Number(each["challenger_of"] ?? 0);
    metrics.push({
      name,
      challenger: { x: Number(each["challenger"] ?? 0), n: judged },
      champion: of === null ? null : { x: Number(each["champion"] ?? 0), n: of },
      worse: Number(each["e_worse"] ?? 1),
      harmless: Number(each["e_harmless"] ?? 1),
      ratio: number(each["odds_ratio"]),
      low: number(interval[0]),
      high: number(interval[1]),
      needed: number(each["requests_needed"]),
      required: REQUIRED.includes(name) && (name !== "bad" || judged > 0),
    });
  }
  return metrics;
}

export function lookOf(at: number, share: number, numbers: Numbers): Look | null {
  if (number(numbers["e_worse"]) === null) return null;
  const metrics = metricsOf(numbers);
  const required = metrics.filter((each) => each.required);
  return {
    at,
    share,
    worse: Number(numbers["e_worse"]),
    harmless: required.length ? Math.min(...required.map((each) => each.harmless)) : 1,
    metrics,
    requests: Number(numbers["stage_requests"] ?? 0),
    least: Number(numbers["least_requests"] ?? 0),
  };
}

/** The looks that the audit keeps: those by which a step ended. */
export function looksInAudit(records: readonly Schemas["AuditRecord"][], id: string): Look[] {
  const looks: Look[] = [];
  for (const record of records) {
    if (record.after["rollout"] !== id) continue;
    const share = Number((record.before as Numbers)["share"] ?? 0);
    const look = lookOf(Date.parse(record.at), share, record.numbers as Numbers);
    if (look) looks.push(look);
  }
  return looks;
}

/** Both lists as one, oldest first, with one look a moment. */
export function merged(...lists: readonly (readonly Look[])[]): Look[] {
  const byMoment = new Map<number, Look>();
  for (const list of lists) for (const look of list) byMoment.set(Math.round(look.at / 1000), look);
  return [...byMoment.values()].sort((a, b) => a.at - b.at);
}
