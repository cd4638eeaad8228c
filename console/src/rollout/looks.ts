/** The evidence as numbers: one look after another, and each metric at the newest. */
import type { Schemas } from "../api/client";

export type Evidence = Schemas["EvidenceNumbers"];

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

const ORDER = ["errors", "late", "bad", "changed", "over_0", "over_1", "over_2"];

const pair = (x: number | null | undefined, n: number | null | undefined) => (x == null || n == null ? null : { x, n });

/** The metrics of a look, in the order of the table. */
export function metricsOf(evidence: Evidence | null | undefined): Metric[] {
  const metrics = (evidence?.metrics ?? []).map((each) => ({
    name: each.name,
    challenger: { x: each.challenger, n: each.challenger_of },
    champion: pair(each.champion, each.champion_of),
    worse: each.e_worse,
    harmless: each.e_harmless,
    ratio: each.odds_ratio ?? null,
    low: each.odds_ratio_low ?? null,
    high: each.odds_ratio_high ?? null,
    needed: each.requests_needed ?? null,
    required: each.required,
  }));
  const place = (name: string) => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1);
  return metrics.sort((a, b) => place(a.name) - place(b.name));
}

export function lookOf(look: Schemas["Look"]): Look {
  const { evidence } = look;
  return {
    at: Date.parse(look.at),
    share: look.share,
    worse: evidence.e_worse,
    harmless: evidence.e_harmless,
    metrics: metricsOf(evidence),
    requests: evidence.stage_requests,
    least: evidence.least_requests,
  };
}
