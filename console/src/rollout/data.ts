/** What the rollout page reads, from which routes, and how often. */
import { answered, api, type Schemas } from "../api/client";
import { PACE } from "../api/live";
import { lookOf, type Look } from "./looks";
import { timelineOf, type Timeline } from "./timeline";

export interface RolloutData {
  endpoint: Schemas["Endpoint"];
  rollout: Schemas["Rollout"];
  timeline: Timeline;
  looks: readonly Look[];
  figures: Schemas["Figures"] | null;
  /** The API's time when this was read, and this browser's. */
  now: number;
  readAt: number;
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

/** The looks of each rollout that this page has read: only newer ones are asked for. */
const kept = new Map<string, { until: string | null; looks: Look[] }>();
const POINTS = 300;

async function looksOf(path: { endpoint: string; rollout: string }): Promise<readonly Look[]> {
  const before = kept.get(path.rollout) ?? { until: null, looks: [] };
  const query = { points: POINTS, ...(before.until === null ? {} : { since: before.until }) };
  const series = await answered(api().GET("/v1/endpoints/{endpoint}/rollouts/{rollout}/evidence", { params: { path, query } }));
  const looks = [...before.looks, ...series.looks.map(lookOf)];
  kept.set(path.rollout, { until: series.until ?? before.until, looks });
  return looks;
}

export async function loadRollout(name: string, id: string): Promise<RolloutData> {
  const path = { endpoint: name, rollout: id };
  const [endpoint, rollout, records, looks] = await Promise.all([
    answered(api().GET("/v1/endpoints/{endpoint}", { params: { path } })),
    answered(api().GET("/v1/endpoints/{endpoint}/rollouts/{rollout}", { params: { path } })),
    recordsOf(name, id),
    looksOf(path),
  ]);
  // The API's clock counts: the reader's may be wrong.
  const now = rollout.clock ? Date.parse(rollout.clock.now) : Date.now();
  const timeline = timelineOf(records, id, now);
  const figures = await loadFigures(name, timeline, now);
  return { endpoint, rollout, timeline, looks, figures, now, readAt: Date.now() };
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
  return data?.rollout.poll_seconds ?? PACE.observing;
}
