/** What a service takes and gives, as a form made from its signature, and as calls to paste. */
import { useState } from "preact/hooks";
import { answered, api, type Schemas } from "../api/client";
import { PACE, useLive } from "../api/live";
import { t } from "../text/t";
import { Code, Field, Loaded, Table } from "../ui/basics";
import { ServiceHead } from "./service-head";

type Input = { name: string; type: string; shape?: number[]; description?: string; minimum?: number; maximum?: number };

export function Try({ name }: { name: string }) {
  const live = useLive(`signature/${name}`, () => answered(api().GET("/v1/endpoints/{endpoint}/signature", { params: { path: { endpoint: name } } })), PACE.once);
  return (
    <>
      <ServiceHead name={name} tab="try" />
      <Loaded live={live}>{(signature) => <Form signature={signature} />}</Loaded>
    </>
  );
}

/** The first record of the sample request, whose values the form begins with. */
function sampleOf(signature: Schemas["Signature"]): Record<string, unknown> {
  const instances = (signature.sample as { instances?: Record<string, unknown>[] }).instances;
  return instances?.[0] ?? {};
}

function Form({ signature }: { signature: Schemas["Signature"] }) {
  const words = t().try_it;
  const inputs = signature.inputs as unknown as Input[];
  const outputs = signature.outputs as unknown as Input[];
  const [record, setRecord] = useState(sampleOf(signature));
  const body = JSON.stringify({ instances: [record] });
  const call = signature.curl.includes("-d ") ? signature.curl.replace(/-d '.*?'(?= |$)/s, () => `-d '${body.replaceAll("'", "'\\''")}'`) : signature.curl;
  return (
    <div class="stack">
      <div class="sides">
        <form class="card" onSubmit={(event) => event.preventDefault()}>
          <h2>{words.input}</h2>
          {inputs.map((input) => {
            const wide = (input.shape?.length ?? 0) > 0;
            const numeric = /int|float/.test(input.type);
            const value = record[input.name];
            return (
              <Field key={input.name} label={input.name} hint={[input.type, wide ? JSON.stringify(input.shape) : "", input.description ?? ""].filter(Boolean).join(" · ")}>
                {(ids) =>
                  wide || typeof value === "object" ? (
                    <textarea {...ids} class="json" rows={3} value={JSON.stringify(value ?? null)} onChange={(event) => { try { setRecord({ ...record, [input.name]: JSON.parse(event.currentTarget.value) }); } catch { /* kept as it was typed, until it is JSON */ } }} />
                  ) : (
                    <input {...ids} type={(numeric ? "number" : "text") as "number"} step="any" min={input.minimum} max={input.maximum} value={String(value ?? "")} onInput={(event) => setRecord({ ...record, [input.name]: numeric ? Number(event.currentTarget.value) : event.currentTarget.value })} />
                  )
                }
              </Field>
            );
          })}
        </form>
        <section class="card">
          <h2>{words.call}</h2>
          <p class="why">{words.call_hint}</p>
          <Code text={call} label="curl" />
          <h2>{words.request}</h2>
          <Code text={JSON.stringify({ instances: [record] }, null, 2)} label={words.request} />
        </section>
      </div>
      <section class="card">
        <Table caption={words.output} rows={outputs} keyOf={(row) => row.name} columns={[
          { head: words.field, cell: (row) => row.name },
          { head: words.type, cell: (row) => <code>{row.type}{row.shape ? ` ${JSON.stringify(row.shape)}` : ""}</code> },
          { head: words.meaning, cell: (row) => row.description ?? "" },
        ]} />
        <dl class="facts">
          <dt>{words.address}</dt><dd><code>{signature.url}</code></dd>
          <dt>{words.model}</dt><dd>{signature.model} ({signature.flavor}) · <code>{signature.digest.slice(0, 12)}</code></dd>
        </dl>
      </section>
    </div>
  );
}
