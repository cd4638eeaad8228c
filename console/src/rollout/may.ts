/** Who may press which button now, and if not, the reason code that the page puts into words. */
import { me } from "../app/session";
import { t } from "../text/t";
import type { RolloutData } from "./data";
import { isFinal } from "./timeline";

export type Operation = "rollback" | "pause" | "resume" | "approve" | "reject" | "promote";
export type Refusal =
  | { code: "role"; role: string; group: string }
  | { code: "phase"; phase: RolloutData["rollout"]["phase"] }
  | { code: "over" | "started" | "no_challenger" | "first" };

const PHASES: Record<Operation, readonly string[]> = {
  rollback: ["preparing", "shifting", "observing", "awaiting_approval", "paused", "baking"],
  pause: ["observing", "baking"],
  resume: ["paused"],
  approve: ["awaiting_approval"],
  reject: ["awaiting_approval"],
  promote: ["observing", "baking", "awaiting_approval", "paused"],
};
const ROLES: Record<"operate" | "approve" | "release", readonly string[]> = {
  operate: ["releaser", "approver", "admin"],
  approve: ["approver", "admin"],
  release: ["releaser", "admin"],
};

/** Why the signed-in person lacks a right on what `owner` owns; null if there is nothing in the way. */
export function lacks(action: keyof typeof ROLES, owner: string | null | undefined): Refusal | null {
  if (!owner || me.value === null) return null;
  const mine = [...(me.value.roles[owner] ?? []), ...(me.value.roles["all"] ?? [])];
  if (mine.some((role) => ROLES[action].includes(role))) return null;
  return { code: "role", role: ROLES[action][0]!, group: owner };
}

export function refusal(operation: Operation, { endpoint, rollout }: RolloutData): Refusal | null {
  if (isFinal(rollout.phase)) return { code: "over" };
  if (!PHASES[operation].includes(rollout.phase)) return { code: "phase", phase: rollout.phase };
  if (operation === "rollback" && !rollout.champion) return { code: "first" };
  if (operation === "promote" && !rollout.challenger) return { code: "no_challenger" };
  const approval = operation === "approve" || operation === "promote";
  const missing = lacks(approval ? "approve" : "operate", endpoint.owner);
  if (missing) return missing;
  if (approval && endpoint.self_approval !== true && rollout.actor === me.value?.arn) return { code: "started" };
  return null;
}

export function inWords(refused: Refusal): string {
  const words = t().act.not;
  if (refused.code === "role") return words.role(t().roles[refused.role] ?? refused.role, refused.group);
  if (refused.code === "phase") return words.phase(t().phase[refused.phase]);
  return words[refused.code];
}
