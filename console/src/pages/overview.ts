/** Every service with its newest rollout and its figures: what the first page and the inbox show. */
import { answered, api, type Schemas } from "../api/client";

export interface Overview {
  endpoint: Schemas["Endpoint"];
  rollout: Schemas["Rollout"] | null;
  qps: number | null;
  success: number | null;
}

const AT_ONCE = 8;

export async function loadOverviews(): Promise<Overview[]> {
  const endpoints: Schemas["Endpoint"][] = [];
  let cursor: string | null = null;
  do {
    const query: { limit: number; cursor?: string } = { limit: 100 };
    if (cursor !== null) query.cursor = cursor;
    const page: Schemas["Endpoints"] = await answered(api().GET("/v1/endpoints", { params: { query } }));
    endpoints.push(...page.items);
    cursor = page.next ?? null;
  } while (cursor !== null);
  const overviews: Overview[] = [];
  for (let begin = 0; begin < endpoints.length; begin += AT_ONCE) {
    overviews.push(...(await Promise.all(endpoints.slice(begin, begin + AT_ONCE).map(overviewOf))));
  }
  return overviews;
}

async function overviewOf(endpoint: Schemas["Endpoint"]): Promise<Overview> {
  const path = { endpoint: endpoint.name };
  const rollout = endpoint.rollout
    ? answered(api().GET("/v1/endpoints/{endpoint}/rollouts/{rollout}", { params: { path: { ...path, rollout: endpoint.rollout } } }))
    : Promise.resolve(null);
  const since = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 600_000).toISOString();
  const figures = answered(api().GET("/v1/endpoints/{endpoint}/metrics", { params: { path, query: { since, period: 300 } } })).catch(() => null);
  const [shown, counted] = await Promise.all([rollout.catch(() => null), figures]);
  const newest = (values: readonly (number | null)[] | undefined) => values?.findLast((each) => each !== null) ?? null;
  return { endpoint, rollout: shown, qps: newest(counted?.endpoint.qps), success: newest(counted?.endpoint.success) };
}

export type Need = "approval" | "held" | "failed" | "rolled_back" | "restored";
const RECENT = 86_400_000;

/** Why a person should look at a service now; null if nothing waits for one. */
export function needOf({ endpoint, rollout }: Overview, now: number): Need | null {
  if (endpoint.restored) return "restored";
  if (!rollout) return null;
  if (rollout.phase === "awaiting_approval") return "approval";
  const verdict = rollout.verdict?.kind;
  if (!rollout.over && (verdict === "lost_traffic" || verdict === "error" || rollout.phase === "paused")) return "held";
  const ended = rollout.ended_at ? Date.parse(rollout.ended_at) : 0;
  if (now - ended < RECENT && (rollout.phase === "failed" || rollout.phase === "rolled_back")) return rollout.phase;
  return null;
}
