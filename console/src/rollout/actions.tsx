/** The buttons: Roll back first. One that can't be pressed says why. */
import { useId, useState } from "preact/hooks";
import { answered, api } from "../api/client";
import { percent } from "../text/format";
import { t } from "../text/t";
import { Dialog, type Question } from "../ui/dialog";
import { toast } from "../ui/toast";
import type { RolloutData } from "./data";
import { inWords, refusal, type Operation } from "./may";

function operationsFor(phase: string): Operation[] {
  const clock: Operation = phase === "paused" ? "resume" : "pause";
  return phase === "awaiting_approval" ? ["rollback", "approve", "reject", "promote"] : ["rollback", clock, "approve", "promote"];
}

export function Actions({ data, changed }: { data: RolloutData; changed: () => void }) {
  const [question, setQuestion] = useState<Question | null>(null);
  const { rollout } = data;
  const id = useId();
  const challenger = rollout.challenger ?? "–";
  const champion = rollout.champion ?? "–";
  const stages = rollout.plan?.stages ?? [];
  const following = stages[rollout.stage];
  const to = following ? (following.mirror ? t().ladder.mirror(percent(following.mirror)) : percent(following.weight)) : t().next.all;
  const share = percent(rollout.share);

  const bodies: Record<Operation, string> = {
    rollback: t().act.confirm.rollback(challenger, champion, share),
    pause: t().act.confirm.pause(share),
    resume: t().act.confirm.resume(share),
    approve: t().act.confirm.approve(challenger, share, to),
    reject: t().act.confirm.reject(challenger, champion),
    promote: t().act.confirm.promote(challenger, champion, share),
  };

  async function carryOut(operation: Operation, message: string, key: string): Promise<void> {
    const path = { endpoint: rollout.endpoint, rollout: rollout.id };
    const header = { "idempotency-key": key } as never;
    const params = { path, header };
    if (operation === "approve") {
      const body = { message, stage: rollout.stage }; // counts from 1 there, from 0 here: the one that follows
      await answered(api().POST("/v1/endpoints/{endpoint}/rollouts/{rollout}/approve", { params, body }));
    } else {
      const verb = operation === "rollback" ? "abort" : operation;
      await answered(api().POST(`/v1/endpoints/{endpoint}/rollouts/{rollout}/${verb}` as "/v1/endpoints/{endpoint}/rollouts/{rollout}/abort", { params, body: { message } }));
    }
    const undo: Partial<Record<Operation, Operation>> = { pause: "resume", resume: "pause" };
    const back = undo[operation];
    toast(t().act.done[operation], back && (async () => {
      await carryOut(back, "", `console-${crypto.randomUUID()}`);
    }));
    changed();
  }

  function ask(operation: Operation): void {
    setQuestion({
      title: `${t().act[operation]}: ${rollout.endpoint}`,
      action: t().act[operation],
      danger: operation === "rollback" || operation === "reject",
      body: (
        <>
          <p>{bodies[operation]}</p>
          {(operation === "approve" || operation === "promote") && <p class="why">{t().act.seen}</p>}
        </>
      ),
      act: (reason, key) => carryOut(operation, reason, key),
    });
  }

  if (rollout.over) return null;
  const operations = operationsFor(rollout.phase).map((operation) => ({ operation, refused: refusal(operation, data) }));
  return (
    <div class="buttons">
      {operations.map(({ operation, refused }) => (
        <div key={operation}>
          <button
            type="button"
            class={operation === "rollback" ? "danger" : operation === "approve" && !refused ? "primary" : ""}
            aria-disabled={refused !== null}
            aria-describedby={refused ? `${id}-${operation}` : undefined}
            onClick={() => refused === null && ask(operation)}
          >
            {t().act[operation]}
          </button>
          {refused && <small id={`${id}-${operation}`}>{inWords(refused)}</small>}
        </div>
      ))}
      {question && <Dialog question={question} close={() => setQuestion(null)} />}
    </div>
  );
}
