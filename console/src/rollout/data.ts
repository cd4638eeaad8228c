/** What the rollout page reads, from which routes, and how often. */
import { answered, api, type Schemas } from "../api/client";
import { PACE } from "../api/live";
import { lookOf, looksInAudit, merged, type Look } from "./looks";
import { timelineOf, type Timeline } from "./timeline";

export interface RolloutData {
  endpoint: Schemas["Endpoint"];
  rollout: Schemas["Rollout"];
  timeline: Timeline;
  looks: readonly Look[];
  mode: string;
  figures: Schemas["Figures"] | null;
}

const MOST_PAGES = 20;

/** All audit records of a rollout, oldest first. The newest are read first, until it began. */
async function recordsOf(endpoint: string, id: string): Promise<Schemas["AuditRecord"][]> {
  const records: Schemas["AuditRecord"][] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query: { newest: boolean; limit: number; cursor?: string } = { newest: true, limit: 100 };
    if (cursor !== null) query.cursor = cursor;
    const found: Schemas["Audit"] = await answered(
      api().GET("/v1/endpoints/{endpoint}/audit", { params: { path: { endpoint }, query } }),
    );
    records.push(...found.items);
    cursor = found.next ?? null;
    const began = found.items.some((each) => each.after["rollout"] === id && each.before["rollout"] !== id);
    if (cursor === null || began) break;
  }
  return records.reverse();
}

/** Looks that this page has seen itself: between those of the record, while it is open. */
const seen = new Map<string, Look[]>();

export async function loadRollout(name: string, id: string): Promise<RolloutData> {
  const path = { endpoint: name, rollout: id };
  const [endpoint, rollout, records] = await Promise.all([
    answered(api().GET("/v1/endpoints/{endpoint}", { params: { path } })),
    answered(api().GET("/v1/endpoints/{endpoint}/rollouts/{rollout}", { params: { path } })),
    recordsOf(name, id),
  ]);
  const now = Date.now();
  const timeline = timelineOf(records, id, now);
  const own = seen.get(id) ?? [];
  if (rollout.verdict) {
    const look = lookOf(now, rollout.share, rollout.verdict.numbers as Record<string, unknown>);
    if (look) own.push(look);
    seen.set(id, own);
  }
  const looks = merged(looksInAudit(records, id), own);
  const mode = String(records.findLast((each) => each.after["rollout"] === id)?.after["mode"] ?? "weighted");
  const figures = await loadFigures(name, timeline, now);
  return { endpoint, rollout, timeline, looks, mode, figures };
}

async function loadFigures(endpoint: string, timeline: Timeline, now: number): Promise<Schemas["Figures"] | null> {
  const since = new Date(timeline.start - 60_000).toISOString();
  const until = new Date(timeline.end ?? now).toISOString();
  try {
    const params = { path: { endpoint }, query: { since, until } };
    return await answered(api().GET("/v1/endpoints/{endpoint}/metrics", { params }));
  } catch {
    return null; // figures are older than CloudWatch keeps, or can't be read: the rest is shown
  }
}

export function paceOf(data: RolloutData | null): number {
  if (data === null) return PACE.observing;
  if (data.rollout.over) return PACE.idle;
  const quick = ["preparing", "shifting", "rolling_back"].includes(data.rollout.phase);
  return quick ? PACE.shifting : PACE.observing;
}
