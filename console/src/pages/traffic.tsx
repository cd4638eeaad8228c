/** Who answers whom: traffic, rules and mirror, while the service serves; and whether it serves at all. */
import { useState } from "preact/hooks";
import { answered, answeredWhole, api } from "../api/client";
import { PACE, useLive } from "../api/live";
import { percent } from "../text/format";
import { t } from "../text/t";
import { Loaded } from "../ui/basics";
import { Dialog, type Question } from "../ui/dialog";
import { toast } from "../ui/toast";
import { DocumentForm } from "./document-form";
import { ServiceHead } from "./service-head";

type Verb = "disable" | "enable" | "unpublish" | "publish";

export function Traffic({ name }: { name: string }) {
  const words = t().traffic;
  const params = { path: { endpoint: name } };
  const load = () => answeredWhole(api().GET("/v1/endpoints/{endpoint}/serving", { params }));
  return (
    <>
      <ServiceHead name={name} tab="traffic" />
      <div class="stack">
        <Switches name={name} />
        <DocumentForm
          editor={{
            path: `serving/${name}`,
            load,
            save: (changes, etag, message) => answered(api().PATCH("/v1/endpoints/{endpoint}/serving", { params: { ...params, header: { "if-match": etag } as never }, body: { ...changes, message } as never })),
            fields: [
              { name: "traffic", label: words.traffic, hint: words.traffic_hint, kind: "json" },
              { name: "rules", label: words.rules, hint: words.rules_hint, kind: "json" },
              { name: "mirror", label: words.mirror, hint: words.mirror_hint, kind: "json" },
              { name: "mode", label: words.mode, hint: words.mode_hint, kind: "choice", choices: ["weighted", "guarded"] },
              { name: "access", label: words.access, hint: words.access_hint, kind: "choice", choices: ["public", "private"] },
              { name: "key", label: words.key, hint: words.key_hint, kind: "json" },
              { name: "capture", label: words.capture, hint: words.capture_hint, kind: "json" },
            ],
          }}
        />
      </div>
    </>
  );
}

function Switches({ name }: { name: string }) {
  const words = t().traffic;
  const [question, setQuestion] = useState<Question | null>(null);
  const params = { path: { endpoint: name } };
  const live = useLive(`switches/${name}`, () => answered(api().GET("/v1/endpoints/{endpoint}/serving", { params })), PACE.observing);
  async function say(verb: Verb, message: string, key: string): Promise<void> {
    const header = { "idempotency-key": key } as never;
    await answered(api().POST(`/v1/endpoints/{endpoint}/${verb}` as "/v1/endpoints/{endpoint}/disable", { params: { ...params, header }, body: { message } }));
    const opposite: Record<Verb, Verb> = { disable: "enable", enable: "disable", publish: "unpublish", unpublish: "publish" };
    toast(words.done[verb], () => say(opposite[verb], t().app.undo, `console-${crypto.randomUUID()}`));
    live.reload();
  }
  const ask = (verb: Verb) => () =>
    setQuestion({ title: `${words.verb[verb]}: ${name}`, action: words.verb[verb], danger: verb === "disable" || verb === "unpublish", body: <p>{words.confirm[verb]}</p>, act: (reason, key) => say(verb, reason, key) });
  return (
    <Loaded live={live}>
      {(serving) => (
        <section class="card">
          <h2>{words.now}</h2>
          <p>
            {serving.stopped ? words.stopped(serving.stopped) : Object.entries(serving.answering ?? {}).map(([version, share]) => `${t().app.version_n(version)}: ${percent(Number(share))}`).join(" · ")}
          </p>
          <div class="actions">
            {serving.stopped ? (
              <>
                <button type="button" class="primary" onClick={ask("enable")}>{words.verb.enable}</button>
                <button type="button" onClick={ask("publish")}>{words.verb.publish}</button>
              </>
            ) : (
              <>
                <button type="button" onClick={ask("disable")}>{words.verb.disable}</button>
                <button type="button" onClick={ask("unpublish")}>{words.verb.unpublish}</button>
              </>
            )}
          </div>
          {question && <Dialog question={question} close={() => setQuestion(null)} />}
        </section>
      )}
    </Loaded>
  );
}
