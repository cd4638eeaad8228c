/** Plans: what each takes at a service's traffic, what size of regression each step can see. */
import { useState } from "preact/hooks";
import { answered, api, type Schemas } from "../api/client";
import { PACE, useLive } from "../api/live";
import { Head } from "../app/app";
import { place, setQuery } from "../app/router";
import { count, figure, percent, span } from "../text/format";
import { t } from "../text/t";
import { Code, Field, Loaded, Table } from "../ui/basics";

export const PRESETS = ["gradual", "internal", "large-model", "all-at-once"] as const;

export function Plans() {
  const words = t().plans;
  const live = useLive("plan-services", () => answered(api().GET("/v1/endpoints", { params: { query: { limit: 100 } } })), PACE.once);
  const [own, setOwn] = useState('{"steps": [{"weight": 5, "min_time": "30m"}, {"weight": 50, "min_time": "1h", "approval": "before"}], "bake": "30m"}');
  const [tried, setTried] = useState("");
  return (
    <>
      <Head title={words.title} sub={words.hint} />
      <Loaded live={live}>
        {({ items }) => {
          const service = place.value.query.get("service") ?? items[0]?.name ?? "";
          const plan = place.value.query.get("plan") ?? "gradual";
          const rate = place.value.query.get("rate") ?? "";
          return (
            <div class="stack">
              <div class="card bar">
                <Field label={t().services.name}>{(ids) => <select {...ids} value={service} onChange={(event) => setQuery({ service: event.currentTarget.value })}>{items.map((each) => <option key={each.name} value={each.name}>{each.name}</option>)}</select>}</Field>
                <Field label={words.plan}>{(ids) => <select {...ids} value={plan} onChange={(event) => setQuery({ plan: event.currentTarget.value })}>{PRESETS.map((each) => <option key={each} value={each}>{words.names[each]}</option>)}<option value="own">{words.own}</option></select>}</Field>
                <Field label={words.rate} hint={words.rate_hint}>{(ids) => <input {...ids} type="number" min={0.001} step="any" value={rate} onChange={(event) => setQuery({ rate: event.currentTarget.value })} />}</Field>
              </div>
              {plan === "own" && (
                <form class="card" onSubmit={(event) => { event.preventDefault(); setTried(own); }}>
                  <Field label={words.own} hint={words.own_hint}>{(ids) => <textarea {...ids} class="json" rows={5} spellcheck={false} value={own} onInput={(event) => setOwn(event.currentTarget.value)} />}</Field>
                  <button type="submit" class="primary">{words.preview}</button>
                </form>
              )}
              {service && (plan !== "own" || tried) && <Preview service={service} plan={plan === "own" ? tried : plan} rate={rate} />}
            </div>
          );
        }}
      </Loaded>
    </>
  );
}

/** What a plan would take at a service's traffic. */
export function Preview({ service, plan, rate = "" }: { service: string; plan: string; rate?: string }) {
  const words = t().plans;
  const query = { plan, ...(rate ? { requests_a_second: Number(rate) } : {}) };
  const live = useLive(`preview/${service}/${plan}/${rate}`, () => answered(api().GET("/v1/endpoints/{endpoint}/preview", { params: { path: { endpoint: service }, query } })), PACE.once);
  return (
    <Loaded live={live}>
      {(preview: Schemas["PlanPreview"]) => (
        <section class="card">
          <p>
            <strong>{preview.promoted_after_seconds === null ? words.not_by_itself : words.takes(span(preview.promoted_after_seconds))}</strong>{" "}
            {preview.approvals > 0 && words.approvals(preview.approvals)} <span class="why">{words.at_rate(figure(preview.traffic.requests_a_second), percent(preview.traffic.errors_percent))}</span>
          </p>
          {preview.warnings.map((each) => <p key={each} class="notice warn">{each}</p>)}
          <Table caption={words.steps} rows={preview.steps} keyOf={(row) => row.name} columns={[
            { head: words.step, cell: (row) => <>{row.approval && "⚑ "}{row.mirror ? t().ladder.mirror(percent(row.mirror)) : percent(row.weight)}</> },
            { head: words.lasts, cell: (row) => (row.lasts_seconds === null ? words.not_in_sight : span(row.lasts_seconds)), number: true },
            { head: words.counted, cell: (row) => count(row.counted_an_hour), number: true },
            { head: words.sees, cell: (row) => (row.visible_errors_percent === null ? words.not_in_sight : percent(row.visible_errors_percent, 2)), number: true },
            { head: words.caught, cell: (row) => (row.caught_after_requests === null ? words.not_in_sight : count(row.caught_after_requests)), number: true },
            { head: words.back, cell: (row) => (row.back_after_seconds === null ? words.not_in_sight : span(row.back_after_seconds)), number: true },
          ]} />
          <details><summary>{words.as_json}</summary><Code text={JSON.stringify(preview.plan, null, 2)} label={words.plan} /></details>
        </section>
      )}
    </Loaded>
  );
}
