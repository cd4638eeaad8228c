/**
 * A release in four steps: the service, the model version, the strategy, and what will happen.
 * What was typed stays in this tab until the release has begun.
 */
import { useEffect, useState } from "preact/hooks";
import { answered, api, newKey, put } from "../api/client";
import { PACE, useLive } from "../api/live";
import { Head } from "../app/app";
import { go, place } from "../app/router";
import { bytes } from "../text/format";
import { t } from "../text/t";
import { Field, Loaded, ProblemNotice } from "../ui/basics";
import { useAction } from "../ui/use-action";
import { Preview, PRESETS } from "./plans";

type Strategy = "specified" | "split" | "progressive";

interface Draft {
  step: number;
  service: string;
  model: string;
  strategy: Strategy;
  share: number;
  plan: string;
  message: string;
  key: string;
}

const KEY = "halftone-release";
const FRESH: Omit<Draft, "key"> = { step: 0, service: "", model: "", strategy: "progressive", share: 20, plan: "gradual", message: "" };

function kept(): Draft {
  const query = place.value.query;
  const asked = { ...(query.get("service") ? { service: query.get("service")!, step: 1 } : {}), ...(query.get("model") ? { model: query.get("model")! } : {}) };
  let before = {};
  try {
    before = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
  } catch {
    before = {};
  }
  return { ...FRESH, key: newKey(), ...before, ...asked };
}

/** What the strategy is to the API: a plan. A split stays where it is until a person says more. */
function planOf({ strategy, share, plan }: Draft): unknown {
  if (strategy === "specified") return "all-at-once";
  if (strategy === "split") return { steps: [{ weight: share, min_time: "30m", max_time: "30d" }, { weight: 100, approval: "before" }], bake: "none" };
  return plan;
}

export function NewRelease() {
  const words = t().wizard;
  const [draft, setDraft] = useState(kept);
  const [file, setFile] = useState<File | null>(null);
  const { working, problem, run } = useAction();
  const set = (changes: Partial<Draft>) => setDraft({ ...draft, ...changes });
  useEffect(() => sessionStorage.setItem(KEY, JSON.stringify(draft)), [draft]);
  const services = useLive("new-services", () => answered(api().GET("/v1/endpoints", { params: { query: { limit: 100 } } })), PACE.once);
  const models = useLive("new-models", () => answered(api().GET("/v1/models", { params: { query: { limit: 100 } } })), PACE.once);
  const steps = [words.service, words.version, words.strategy, words.review];

  async function release(): Promise<void> {
    const path = { endpoint: draft.service };
    let rollout: string | null = null;
    const done = await run(async () => {
      const source = file ? { digest: await upload(draft.service, file) } : { model: draft.model };
      const header = { "idempotency-key": draft.key } as never;
      const body = { ...source, plan: planOf(draft) as never, message: draft.message, supersede: false };
      const begun = await answered(api().POST("/v1/endpoints/{endpoint}/releases", { params: { path, header }, body }));
      rollout = begun.rollout ?? null;
    });
    if (!done) return;
    sessionStorage.removeItem(KEY);
    go(rollout ? `/endpoints/${draft.service}/rollouts/${rollout}` : `/endpoints/${draft.service}`);
  }

  const ready = [draft.service !== "", file !== null || draft.model !== "", true, true][draft.step]!;
  return (
    <div class="wizard">
      <Head title={words.title} sub={words.hint} />
      <ol aria-label={words.steps}>{steps.map((each, index) => <li key={each} aria-current={index === draft.step ? "step" : undefined}>{each}</li>)}</ol>
      <form class="card" onSubmit={(event) => { event.preventDefault(); if (draft.step < 3) set({ step: draft.step + 1 }); else void release(); }}>
        {draft.step === 0 && (
          <Loaded live={services}>
            {({ items }) => (
              <Field label={words.service} hint={words.service_hint}>
                {(ids) => <select {...ids} required value={draft.service} onChange={(event) => set({ service: event.currentTarget.value })}><option value="">{words.choose}</option>{items.map((each) => <option key={each.name} value={each.name}>{each.name}</option>)}</select>}
              </Field>
            )}
          </Loaded>
        )}
        {draft.step === 1 && (
          <>
            <Field label={words.upload} hint={file ? `${file.name}, ${bytes(file.size)}` : words.upload_hint}>{(ids) => <input {...ids} type="file" accept=".zip" onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />}</Field>
            <Field label={words.registry} hint={words.registry_hint}>
              {(ids) => <input {...ids} list="models" disabled={file !== null} value={draft.model} placeholder="churn:3" onInput={(event) => set({ model: event.currentTarget.value })} />}
            </Field>
            <datalist id="models">{models.data?.items.map((each) => <option key={each.name} value={`${each.name}:${each.newest}`} />)}</datalist>
          </>
        )}
        {draft.step === 2 && (
          <div class="stack">
            {(["specified", "split", "progressive"] as const).map((each) => (
              <label key={each} class="choice">
                <input type="radio" name="strategy" checked={draft.strategy === each} onChange={() => set({ strategy: each })} />
                <span><strong>{words.strategies[each]}</strong>{words.strategy_hints[each]}</span>
              </label>
            ))}
            {draft.strategy === "split" && <Field label={words.share} hint={words.split_is(100 - draft.share, draft.share)}>{(ids) => <input {...ids} type="range" min={1} max={99} value={draft.share} onInput={(event) => set({ share: Number(event.currentTarget.value) })} />}</Field>}
            {draft.strategy === "progressive" && <Field label={t().plans.plan} hint={t().plans.descriptions[draft.plan]}>{(ids) => <select {...ids} value={draft.plan} onChange={(event) => set({ plan: event.currentTarget.value })}>{PRESETS.filter((each) => each !== "all-at-once").map((each) => <option key={each} value={each}>{t().plans.names[each]}</option>)}</select>}</Field>}
            {draft.strategy !== "specified" && draft.service && <Preview service={draft.service} plan={typeof planOf(draft) === "string" ? (planOf(draft) as string) : JSON.stringify(planOf(draft))} />}
          </div>
        )}
        {draft.step === 3 && (
          <>
            <h2>{words.will}</h2>
            <ol class="acts">{words.happens(file?.name ?? draft.model, draft.service, draft.strategy, draft.share, t().plans.names[draft.plan as "gradual"] ?? draft.plan).map((each) => <li key={each}>{each}</li>)}</ol>
            <Field label={t().app.why} hint={t().app.whyHint}>{(ids) => <input {...ids} maxLength={1000} value={draft.message} onInput={(event) => set({ message: event.currentTarget.value })} />}</Field>
          </>
        )}
        {problem && <><ProblemNotice problem={problem} /><p class="why">{t().problem.kept}</p></>}
        <div class="actions">
          {draft.step > 0 && <button type="button" onClick={() => set({ step: draft.step - 1 })}>{t().app.back}</button>}
          <button type="submit" class="primary" disabled={working || !ready}>{draft.step < 3 ? t().app.next : working ? t().act.working : words.release}</button>
        </div>
      </form>
    </div>
  );
}

/** Uploads a package, and answers the SHA-256 that names it. */
async function upload(endpoint: string, file: File): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  const digest = [...new Uint8Array(hash)].map((each) => each.toString(16).padStart(2, "0")).join("");
  const header = { "idempotency-key": newKey() } as never;
  const leave = await answered(api().POST("/v1/endpoints/{endpoint}/uploads", { params: { path: { endpoint }, header }, body: { digest } }));
  await put(leave.url!, leave.headers as Record<string, string>, file);
  return digest;
}
