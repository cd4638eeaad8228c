/** Who may call a private service: tokens that are shown once, expire, rotate and are revoked. */
import { useState } from "preact/hooks";
import { answered, api, type Schemas } from "../api/client";
import { PACE, useLive } from "../api/live";
import { personOf } from "../app/session";
import { t } from "../text/t";
import { Code, Empty, Field, Loaded, Table, Time } from "../ui/basics";
import { Dialog, type Question } from "../ui/dialog";
import { toast } from "../ui/toast";
import { ServiceHead } from "./service-head";

export function Clients({ name }: { name: string }) {
  const words = t().clients;
  const params = { path: { endpoint: name } };
  const live = useLive(`clients/${name}`, () => answered(api().GET("/v1/endpoints/{endpoint}/clients", { params })), PACE.idle);
  const [question, setQuestion] = useState<Question | null>(null);
  const [token, setToken] = useState<{ client: string; token: string } | null>(null);
  const [wanted, setWanted] = useState({ name: "", expires: "90d" });

  function add(client = wanted.name): void {
    const expires = wanted.expires || null;
    setQuestion({
      title: words.add,
      action: words.add,
      body: <p>{words.confirm_add(client, name, wanted.expires || words.never)}</p>,
      act: async (message, key) => {
        const header = { "idempotency-key": key } as never;
        const added = await answered(api().POST("/v1/endpoints/{endpoint}/clients", { params: { ...params, header }, body: { name: client, expires, message } }));
        setToken({ client, token: added.token ?? "" });
        setWanted({ ...wanted, name: "" });
        live.reload();
      },
    });
  }

  function revoke(client: Schemas["ClientShown"]): void {
    setQuestion({
      title: words.revoke,
      action: words.revoke,
      danger: true,
      reason: false,
      body: <p>{words.confirm_revoke(client.name, client.token_id)}</p>,
      act: async () => {
        await answered(api().DELETE("/v1/endpoints/{endpoint}/clients/{client}", { params: { path: { endpoint: name, client: client.token_id } } }));
        toast(words.revoked(client.name));
        live.reload();
      },
    });
  }

  return (
    <>
      <ServiceHead name={name} tab="clients" />
      <div class="stack">
        <form class="card bar" onSubmit={(event) => { event.preventDefault(); add(); }}>
          <Field label={words.name} hint={words.name_hint}>
            {(ids) => <input {...ids} required pattern="[a-z0-9][a-z0-9._@\-]*" maxLength={64} value={wanted.name} onInput={(event) => setWanted({ ...wanted, name: event.currentTarget.value })} />}
          </Field>
          <Field label={words.expires} hint={words.expires_hint}>
            {(ids) => <input {...ids} value={wanted.expires} onInput={(event) => setWanted({ ...wanted, expires: event.currentTarget.value })} />}
          </Field>
          <button type="submit" class="primary">{words.add}</button>
        </form>
        {token && (
          <section class="notice good" role="status">
            <strong>{words.once(token.client)}</strong>
            <Code text={token.token} label={words.token} />
            <Code text={`curl -u ${token.client}:${token.token} …`} label="curl" />
            <button type="button" onClick={() => setToken(null)}>{words.kept}</button>
          </section>
        )}
        <Loaded live={live}>
          {({ items }) =>
            items.length ? (
              <section class="card">
                <Table
                  caption={t().tabs.clients}
                  rows={items}
                  keyOf={(row) => row.token_id}
                  columns={[
                    { head: words.name, cell: (row) => row.name },
                    { head: words.id, cell: (row) => <code>{row.token_id}</code> },
                    { head: words.made, cell: (row) => <><Time at={row.created_at} /> · {personOf(row.created_by)}</> },
                    { head: words.expires, cell: (row) => (row.expires_at ? <Time at={row.expires_at} /> : words.never) },
                    { head: words.actions, cell: (row) => <div class="actions"><button type="button" onClick={() => add(row.name)}>{words.rotate}</button><button type="button" class="quiet" onClick={() => revoke(row)}>{words.revoke}</button></div> },
                  ]}
                />
              </section>
            ) : (
              <Empty title={words.empty} hint={words.empty_hint} />
            )
          }
        </Loaded>
      </div>
      {question && <Dialog question={question} close={() => setQuestion(null)} />}
    </>
  );
}
